using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>Names every fault of <see cref="SingleSignOnOptions"/> at once; never a secret.</summary>
/// <param name="directory">The LDAP directory's name: groups and accounts of a provider called so would be its own.</param>
internal sealed class SingleSignOnFaults(string directory) : IValidateOptions<SingleSignOnOptions>
{
    public ValidateOptionsResult Validate(string? name, SingleSignOnOptions options)
    {
        var faults = options.Providers.SelectMany(provider => FaultsOf(provider.Key, provider.Value)).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private IEnumerable<string> FaultsOf(string name, SignOnProviderOptions provider)
    {
        var section = $"{SingleSignOnOptions.Section}:Providers:{name}";
        if (name.Length > 32 || !AccountName.TryParse(name, out _) || name.AsSpan().ContainsAny('.', '_'))
            yield return $"{section}: a provider's name is 1 to 32 characters a-z, 0-9 or '-', and begins with a letter or digit.";
        if (name == directory) yield return $"{section}: the name is the directory's (Ldap:Name).";
        if (!IssuerAddress.IsSafe(provider.Issuer))
        {
            yield return $"{section}:Issuer must be an https URL, or http on a loopback address, without query, fragment "
                + "and user.";
        }

        if (provider.ClientId.Length is 0 or > 512) yield return $"{section}:ClientId must be 1 to 512 characters.";
        if (!provider.Scopes.Split(' ').Contains("openid", StringComparer.Ordinal))
            yield return $"{section}:Scopes must hold openid.";
        if (provider.NameClaim.Length == 0) yield return $"{section}:NameClaim must name a claim.";
        if (provider.GroupsClaim.Length == 0) yield return $"{section}:GroupsClaim must name a claim.";
        if (provider.AdministratorGroups.Any(string.IsNullOrWhiteSpace))
            yield return $"{section}:AdministratorGroups holds an empty name.";
        if (provider.AllowedGroups.Any(string.IsNullOrWhiteSpace))
            yield return $"{section}:AllowedGroups holds an empty name.";
        if (provider.CaFile.Length > 0 && AuthorityFile.FaultOf(provider.CaFile) is { } fault)
            yield return $"{section}:CaFile '{provider.CaFile}' {fault}.";
    }
}
