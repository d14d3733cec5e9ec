namespace Gantry.Core.Access;

/// <summary>Section <c>SingleSignOn</c>: where people sign in by OpenID Connect. No provider: nowhere.</summary>
public sealed class SingleSignOnOptions
{
    public const string Section = "SingleSignOn";

    /// <summary>
    /// By name: <c>[a-z0-9][a-z0-9-]{0,31}</c>. The name stands in the redirect URI (<c>/sso/NAME/callback</c>) and before
    /// the provider's groups (<c>NAME/group</c>); accounts belong to it, so renaming it makes everybody a stranger.
    /// </summary>
    public IDictionary<string, SignOnProviderOptions> Providers { get; init; } =
        new Dictionary<string, SignOnProviderOptions>(StringComparer.Ordinal);
}

/// <summary>Section <c>SingleSignOn:Providers:NAME</c>.</summary>
public sealed class SignOnProviderOptions
{
    /// <summary>
    /// As the provider writes it in <c>iss</c>, to the letter; <c>/.well-known/openid-configuration</c> below it says the
    /// rest. https, or http on a loopback address.
    /// </summary>
    public string Issuer { get; set; } = "";

    public string ClientId { get; set; } = "";

    /// <summary>Empty: a public client, whose only proof is PKCE.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>What is asked for, separated by spaces; <c>openid</c> must be among them.</summary>
    public string Scopes { get; set; } = "openid profile email";

    /// <summary>
    /// The claim that suggests the account's name; where it is missing, what stands before the @ of <c>email</c>.
    /// </summary>
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>The claim that names the groups: an array of texts, or one text.</summary>
    public string GroupsClaim { get; set; } = "groups";

    /// <summary>
    /// Who is in one of these is an administrator, and who is in none of them is not, from each login on. Empty: the
    /// provider has no say in it.
    /// </summary>
    public IList<string> AdministratorGroups { get; init; } = [];

    /// <summary>Only who is in one of these may sign in. Empty: everybody whom the provider lets.</summary>
    public IList<string> AllowedGroups { get; init; } = [];

    /// <summary>For people to choose by; empty: the provider's name.</summary>
    public string DisplayName { get; set; } = "";

    /// <summary>
    /// A PEM file of certificate authorities, trusted with this provider in place of the system's. Empty: the system's.
    /// </summary>
    public string CaFile { get; set; } = "";
}
