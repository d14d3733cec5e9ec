namespace Gantry.Core.Access;

/// <summary>Section <c>Ldap</c>: a directory that knows people's passwords and groups. Without an URL there is none.</summary>
public sealed class LdapOptions
{
    public const string Section = "Ldap";

    /// <summary><c>ldap://host:port</c> or <c>ldaps://host:port</c>; empty: no LDAP. Ports are 389 and 636 where none is given.</summary>
    public string Url { get; set; } = "";

    /// <summary>Turns an <c>ldap://</c> connection into an encrypted one before anything is said on it.</summary>
    public bool StartTls { get; set; }

    /// <summary>Sends passwords unencrypted to another machine. To this one they always may be.</summary>
    public bool AllowPlaintext { get; set; }

    /// <summary>A file of certificates (PEM) that may have signed the server's; empty: the system's own.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>What stands before a group's name in memberships: <c>ldap/developers</c>. No other provider has the same.</summary>
    public string Name { get; set; } = "ldap";

    /// <summary>The account that searches; empty: the directory lets everybody search.</summary>
    public string BindDn { get; set; } = "";

    public string BindPassword { get; set; } = "";

    /// <summary>Below this people are searched, at any depth.</summary>
    public string UserBase { get; set; } = "";

    /// <summary>Finds one entry by the name that was typed, which stands for <c>{0}</c>.</summary>
    public string UserFilter { get; set; } = "(&(objectClass=person)(uid={0}))";

    /// <summary>What of an entry never changes and is never given to another: <c>entryUUID</c>, <c>objectGUID</c>.</summary>
    public string SubjectAttribute { get; set; } = "entryUUID";

    /// <summary>What a new account is named after.</summary>
    public string NameAttribute { get; set; } = "uid";

    public string DisplayNameAttribute { get; set; } = "cn";

    public string EmailAttribute { get; set; } = "mail";

    /// <summary>Below this groups are searched, at any depth; empty: they are not.</summary>
    public string GroupBase { get; set; } = "";

    /// <summary>Finds the groups of a person, whose distinguished name stands for <c>{0}</c>.</summary>
    public string GroupFilter { get; set; } = "(member={0})";

    public string GroupNameAttribute { get; set; } = "cn";

    /// <summary>
    /// Instead of a search: the person's attribute (<c>memberOf</c>) that holds the groups' distinguished names, of
    /// which the first value is the group's name.
    /// </summary>
    public string MemberOfAttribute { get; set; } = "";

    /// <summary>Who is in one of them is an administrator, who is not is none; empty: accounts stay what they are.</summary>
    public string[] AdministratorGroups { get; set; } = [];

    /// <summary>Who is in none of them is not let in; empty: everybody is.</summary>
    public string[] AllowedGroups { get; set; } = [];

    /// <summary>How long the server may take for one step; 1 s to 1 min.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long docker keeps a login before it asks for the password again; 1 h to 366 days, and never longer than
    /// <see cref="AccessOptions.RefreshTokenLifetime"/>. Until then nobody asks the directory.
    /// </summary>
    public TimeSpan LoginLifetime { get; set; } = TimeSpan.FromDays(1);

    internal bool IsConfigured => Url.Length > 0;

    /// <summary>Null where the URL is none of those above.</summary>
    internal LdapAddress? Address()
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var uri) || uri.Scheme is not ("ldap" or "ldaps") || uri.Host.Length == 0
            || uri.UserInfo.Length > 0 || uri.PathAndQuery.Length > 1 || uri.Fragment.Length > 0) return null;
        var isTls = uri.Scheme == "ldaps";
        return new LdapAddress(uri.Host, uri.Port > 0 ? uri.Port : isTls ? 636 : 389, isTls, uri.IsLoopback);
    }
}

/// <param name="IsTls">From the first byte.</param>
internal sealed record LdapAddress(string Host, int Port, bool IsTls, bool IsLoopback);
