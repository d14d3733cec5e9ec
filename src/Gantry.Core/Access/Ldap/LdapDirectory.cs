using System.DirectoryServices.Protocols;
using Microsoft.Extensions.Logging;

namespace Gantry.Core.Access;

/// <summary>What the directory says to a name and a password: searched as the search account, proven by a bind as the entry.</summary>
internal sealed partial class LdapDirectory(LdapOptions options, ILogger logger)
{
    // Its values are bytes, where others are text.
    private const string ObjectGuid = "objectGUID";

    /// <summary>Null: no such person, or more than one, a wrong password, or none of the groups that are let in. Blocks.</summary>
    /// <exception cref="DirectoryException">The directory does not answer, or refuses to.</exception>
    /// <exception cref="InvalidDataException">It answers otherwise than the settings want.</exception>
    public ExternalIdentity? Authenticate(string name, string password)
    {
        // Bound before anything else: what cannot be a password must not even cost a search.
        if (password.Length == 0 || password.Contains('\0', StringComparison.Ordinal)) return null;

        using var session = LdapSession.Open(options);
        session.BindToSearch();
        var found = session.Search(
            options.UserBase, LdapText.Filter(options.UserFilter, name), limit: 2,
            [.. PersonAttributes().Where(attribute => attribute.Length > 0)]);
        if (found.Count > 1) LogAmbiguous(logger, name);
        if (found is not [var entry] || entry.DistinguishedName.Length == 0) return null;
        if (!session.TryBind(entry.DistinguishedName, password)) return null;

        var groups = GroupsOf(session, entry);
        if (options.AllowedGroups.Length > 0 && !IsIn(options.AllowedGroups, groups))
        {
            LogNotAllowed(logger, name);
            return null;
        }

        return new ExternalIdentity(
            options.Name, SubjectOf(entry), LdapSession.Texts(entry, options.NameAttribute).FirstOrDefault(name),
            LdapSession.Texts(entry, options.DisplayNameAttribute).FirstOrDefault(),
            LdapSession.Texts(entry, options.EmailAttribute).FirstOrDefault(), groups,
            options.AdministratorGroups.Length > 0 ? IsIn(options.AdministratorGroups, groups) : null);
    }

    private string[] PersonAttributes() =>
    [
        options.SubjectAttribute, options.NameAttribute, options.DisplayNameAttribute, options.EmailAttribute,
        options.MemberOfAttribute,
    ];

    private List<string> GroupsOf(LdapSession session, SearchResultEntry entry)
    {
        if (options.MemberOfAttribute.Length > 0)
            return [.. LdapSession.Texts(entry, options.MemberOfAttribute).Select(LdapText.FirstValue).OfType<string>()];
        if (options.GroupBase.Length == 0) return [];

        // People need not be allowed to read groups.
        session.BindToSearch();
        var filter = LdapText.Filter(options.GroupFilter, entry.DistinguishedName);
        return [.. session.Search(options.GroupBase, filter, ExternalProfile.MaxGroups, options.GroupNameAttribute)
            .SelectMany(group => LdapSession.Texts(group, options.GroupNameAttribute).Take(1))];
    }

    private string SubjectOf(SearchResultEntry entry)
    {
        var subject = LdapSession.Values(entry, options.SubjectAttribute).FirstOrDefault()
            ?? throw new InvalidDataException($"{entry.DistinguishedName} shows no {options.SubjectAttribute} to {options.BindDn}");
        return options.SubjectAttribute.Equals(ObjectGuid, StringComparison.OrdinalIgnoreCase) && subject.Length == 16
            ? new Guid(subject).ToString()
            : System.Text.Encoding.UTF8.GetString(subject);
    }

    // Names of groups are the same in any case, as they are for the directory.
    private static bool IsIn(string[] wanted, List<string> groups) =>
        groups.Exists(group => wanted.Contains(group, StringComparer.OrdinalIgnoreCase));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ldap:UserFilter finds more than one entry for {Account}: nobody is let in")]
    private static partial void LogAmbiguous(ILogger logger, string account);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Account} has the right LDAP password, and none of Ldap:AllowedGroups")]
    private static partial void LogNotAllowed(ILogger logger, string account);
}
