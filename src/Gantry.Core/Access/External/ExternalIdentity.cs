namespace Gantry.Core.Access;

/// <summary>A person as a provider of logins (OpenID Connect, LDAP) knows them, checked by its protocol.</summary>
/// <param name="Provider">The name of the provider in the configuration.</param>
/// <param name="Subject">What never changes there (<c>sub</c>, an entry's unique id), 1 to 512 characters.</param>
/// <param name="Name">The name that the provider suggests for the account; it is cleaned here.</param>
/// <param name="DisplayName">For people to read; null where the provider has none.</param>
/// <param name="Email">Shown, never trusted.</param>
/// <param name="Groups">As the provider writes them, without its name before them.</param>
/// <param name="IsAdministrator">
/// Whether a group that is configured for it makes an administrator of them; null: no such group is configured, and
/// the account stays what it is.
/// </param>
public sealed record ExternalIdentity(
    string Provider, string Subject, string Name, string? DisplayName, string? Email,
    IReadOnlyCollection<string> Groups, bool? IsAdministrator);
