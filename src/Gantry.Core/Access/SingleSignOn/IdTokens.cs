using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>
/// Checks ID tokens (OpenID Connect Core 1.0, 3.1.3.7): signed, with a public key of the provider and nothing else;
/// from the configured issuer, for our client, for this sign-on (<c>nonce</c>), and valid now.
/// </summary>
internal sealed class IdTokens(ProviderDirectory directory, string issuer, string clientId, TimeProvider time)
{
    /// <summary>Longer ones are refused unread.</summary>
    private const int MaxLength = 128 * 1024;

    private static readonly string[] Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    // No key to decrypt with: encrypted tokens have five parts, and never come here.
    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = MaxLength };

    /// <exception cref="SignOnException">The token is not to be trusted, or the provider does not answer.</exception>
    public async Task<JsonElement> VerifyAsync(
        string token, string nonce, string? accessToken, CancellationToken cancellationToken)
    {
        if (token.Length > MaxLength || token.AsSpan().Count('.') != 2) throw Fault("is not a signed token");
        var (header, claims) = (PartOf(token, 0), PartOf(token, 1));
        var algorithm = Text(header, "alg");
        if (!Algorithms.Contains(algorithm)) throw Fault("is not signed with a public key");
        // An access token is no ID token, and what "crit" announces is not understood here.
        var type = Text(header, "typ") ?? "JWT";
        if (header.TryGetProperty("crit", out _) || !type.Equals("JWT", StringComparison.OrdinalIgnoreCase))
            throw Fault("is another kind of token");

        var keys = await directory.KeysAsync(Text(header, "kid"), key => Fits(algorithm!, key), cancellationToken);
        if (keys.Count == 0) throw Fault("is signed with a key that the provider does not show");
        var result = _handler.ValidateToken(token, new TokenValidationParameters
        {
            ValidAlgorithms = [algorithm],
            ValidIssuer = issuer,
            ValidAudience = clientId,
            IssuerSigningKeyResolver = (_, _, _, _) => keys,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            RequireAudience = true,
            LifetimeValidator = IsValidNow,
        });
        if (!result.IsValid) throw Fault(WordsFor(result.Exception), result.Exception);
        Check(claims, algorithm!, nonce, accessToken);
        return claims;
    }

    /// <summary>Null: it is not there, or no text.</summary>
    internal static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) ? Text(value) : null;

    internal static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which JSON can write and no text holds.
            return null;
        }
    }

    private void Check(JsonElement claims, string algorithm, string nonce, string? accessToken)
    {
        var several = claims.GetProperty("aud") is { ValueKind: JsonValueKind.Array } audiences && audiences.GetArrayLength() > 1;
        if ((several || claims.TryGetProperty("azp", out _)) && Text(claims, "azp") != clientId)
            throw Fault("is meant for another client");
        var latest = (time.GetUtcNow() + SignedTokens.ClockSkew).ToUnixTimeSeconds();
        if (!claims.TryGetProperty("iat", out var issued) || issued.ValueKind != JsonValueKind.Number
            || issued.GetDouble() > latest)
            throw Fault("does not say when it was issued, or says a time to come");
        if (Text(claims, "nonce") is not { } shown || !Same(shown, nonce)) throw Fault("belongs to another sign-on (nonce)");
        if (claims.TryGetProperty("at_hash", out _) && accessToken is not null
            && !Same(Text(claims, "at_hash") ?? "", HalfHash(algorithm, accessToken)))
            throw Fault("belongs to another access token (at_hash)");
    }

    private bool IsValidNow(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters _)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return (notBefore is null || notBefore <= now + SignedTokens.ClockSkew) && now < expires + SignedTokens.ClockSkew;
    }

    // Read here first, with a limit of depth that the library's own reader does not have.
    private static JsonElement PartOf(string token, int index)
    {
        try
        {
            using var part = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.Split('.')[index]));
            return part.RootElement.ValueKind == JsonValueKind.Object ? part.RootElement.Clone() : throw Fault("is none");
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw Fault("is none", e);
        }
    }

    private static bool Fits(string algorithm, SecurityKey key) =>
        algorithm[0] == 'E' ? key is ECDsaSecurityKey : key is RsaSecurityKey or X509SecurityKey { PublicKey: RSA };

    private static string HalfHash(string algorithm, string accessToken)
    {
        var bytes = Encoding.ASCII.GetBytes(accessToken);
        var hash = algorithm[2..] switch
        {
            "256" => SHA256.HashData(bytes),
            "384" => SHA384.HashData(bytes),
            _ => SHA512.HashData(bytes),
        };
        return Base64UrlEncoder.Encode(hash[..(hash.Length / 2)]);
    }

    private static bool Same(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));

    private static string WordsFor(Exception exception) => exception switch
    {
        SecurityTokenInvalidIssuerException => "comes from another issuer",
        SecurityTokenInvalidAudienceException => "is meant for another client",
        SecurityTokenInvalidLifetimeException or SecurityTokenNoExpirationException => "is not valid now",
        SecurityTokenInvalidSignatureException or SecurityTokenSignatureKeyNotFoundException
            or SecurityTokenInvalidAlgorithmException => "is not signed by the provider",
        _ => "is not valid",
    };

    private static SignOnException Fault(string what, Exception? inner = null) =>
        new(SignOnFault.Answer, $"the provider's ID token {what}", inner);
}
