using System.ComponentModel.DataAnnotations;

namespace Gantry.Core.Access;

/// <summary>Section <c>Keyless</c>: whose tokens may stand for an account, where a trust says so.</summary>
public sealed class KeylessOptions : IValidatableObject
{
    public const string Section = "Keyless";
    public const int MaxIssuers = 32;

    /// <summary>By a name of our own, which trusts, events and the log use: <c>[a-z0-9][a-z0-9._-]{0,62}</c>.</summary>
    public IDictionary<string, IssuerOptions> Issuers { get; init; } =
        new Dictionary<string, IssuerOptions>(StringComparer.Ordinal);

    /// <summary>
    /// How long what is made from such a token (a docker login's refresh token, bearer tokens) may last; the token
    /// itself may run out before. 5 minutes to 12 hours.
    /// </summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromHours(1);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (SessionLifetime < TimeSpan.FromMinutes(5) || SessionLifetime > TimeSpan.FromHours(12))
            yield return new ValidationResult("Keyless:SessionLifetime must be from 00:05:00 to 12:00:00");
        if (Issuers.Count > MaxIssuers) yield return new ValidationResult($"Keyless:Issuers: there may be {MaxIssuers} at most");

        foreach (var (name, issuer) in Issuers)
        {
            if (!IsName(name))
                yield return new ValidationResult($"Keyless:Issuers: the name '{name}' is not of the form [a-z0-9][a-z0-9._-]{{0,62}}");
            foreach (var fault in issuer.Faults()) yield return new ValidationResult($"Keyless:Issuers:{name}:{fault}");
        }

        // A token names its issuer by iss alone.
        foreach (var same in Issuers.Where(entry => entry.Value.Issuer.Length > 0).GroupBy(entry => entry.Value.Issuer).Where(group => group.Count() > 1))
        {
            var names = string.Join(" and ", same.Select(entry => entry.Key).Order(StringComparer.Ordinal));
            yield return new ValidationResult($"Keyless:Issuers: {names} have the same Issuer");
        }
    }

    private static bool IsName(string text) =>
        text is { Length: > 0 and <= 63 } && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');
}

/// <summary>Section <c>Keyless:Issuers:NAME</c>: one issuer of tokens.</summary>
public sealed class IssuerOptions
{
    /// <summary>What <c>iss</c> must be, to the letter: an https URL (http for a loopback address alone).</summary>
    public string Issuer { get; set; } = "";

    /// <summary>What <c>aud</c> must hold. Empty: <c>Access:Service</c>.</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// Where its keys are (RFC 7517). Empty: where <c>ISSUER/.well-known/openid-configuration</c> says, which must be on
    /// the issuer's own host.
    /// </summary>
    public string JwksUri { get; set; } = "";

    /// <summary>PEM certificates, read at the start, that alone vouch for its servers: a cluster's own CA. Empty: the system's.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>A file with a token to fetch the keys with, read each time: Kubernetes lets nobody in particular see them.</summary>
    public string BearerTokenFile { get; set; } = "";

    /// <summary>Which of <see cref="JwsAlgorithm.Names"/> its tokens may be signed with. Empty: all of them.</summary>
    public IList<string> Algorithms { get; init; } = [];

    internal bool Allows(string algorithm) =>
        JwsAlgorithm.Names.Contains(algorithm) && (Algorithms.Count == 0 || Algorithms.Contains(algorithm));

    internal IEnumerable<string> Faults()
    {
        if (!IsFetchable(Issuer)) yield return "Issuer must be an https URL without query (http: on a loopback address)";
        if (JwksUri.Length > 0 && !IsFetchable(JwksUri)) yield return "JwksUri must be an https URL without query (http: on a loopback address)";
        if (Audience.Length > 512 || Audience.Any(c => c is < '!' or > '~')) yield return "Audience must be at most 512 printable ASCII characters without space";
        foreach (var word in Algorithms.Where(word => !JwsAlgorithm.Names.Contains(word)))
            yield return $"Algorithms: '{word}' is none of {string.Join(", ", JwsAlgorithm.Names)}";
        if (BearerTokenFile.Length > 0 && !File.Exists(BearerTokenFile)) yield return $"BearerTokenFile: there is no file {BearerTokenFile}";
        if (CaFile.Length > 0 && AuthorityFile.FaultOf(CaFile) is { } fault) yield return $"CaFile: {CaFile} {fault}";
    }

    /// <summary>Whether keys may be fetched from there: nobody between may put in others.</summary>
    internal static bool IsFetchable(string text) =>
        text.Length <= 2048 && text.All(c => c is > ' ' and <= '~') && IssuerAddress.IsSafe(text);
}
