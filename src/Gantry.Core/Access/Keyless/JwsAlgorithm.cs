namespace Gantry.Core.Access;

/// <summary>The signatures of RFC 7518, 3.1, that have a public key. None without a signature, none with a shared secret.</summary>
internal static class JwsAlgorithm
{
    public static readonly IReadOnlyList<string> Names =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>The one curve of an ES algorithm (RFC 7518, 3.4); null: it takes an RSA key.</summary>
    public static string? CurveOf(string algorithm) => algorithm switch
    {
        "ES256" => "P-256",
        "ES384" => "P-384",
        "ES512" => "P-521",
        _ => null,
    };
}
