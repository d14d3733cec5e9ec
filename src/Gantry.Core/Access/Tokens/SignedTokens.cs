using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>
/// Signs and verifies JSON Web Tokens: ES256 and nothing else, one purpose a token (its header's <c>typ</c> and its
/// <c>aud</c>), so that a bearer token and a refresh token never pass for each other.
/// </summary>
internal sealed class SignedTokens(SigningKeys keys, IOptions<AccessOptions> options, TimeProvider time)
{
    /// <summary>Longer ones are refused unread.</summary>
    public const int MaxLength = CompactToken.MaxLength;

    /// <summary>How far the clocks of two nodes may be apart.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(60);

    private readonly JsonWebTokenHandler _handler = new()
    {
        MaximumTokenSizeInBytes = MaxLength,
        SetDefaultTimesOnTokenCreation = false,
    };

    public async Task<SignedToken> IssueAsync(
        TokenPurpose purpose, string subject, TimeSpan lifetime, IReadOnlyDictionary<string, object> claims,
        CancellationToken cancellation)
    {
        var key = await keys.SigningKeyAsync(cancellation);
        var issued = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var text = _handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = options.Value.Service,
            Audience = AudienceOf(purpose),
            IssuedAt = issued.UtcDateTime,
            NotBefore = issued.UtcDateTime,
            Expires = (issued + lifetime).UtcDateTime,
            TokenType = purpose.HeaderType,
            SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.EcdsaSha256),
            Claims = new Dictionary<string, object>(claims)
            {
                [JwtRegisteredClaimNames.Sub] = subject,
                [JwtRegisteredClaimNames.Jti] = Guid.NewGuid().ToString("N"),
            },
        });
        return new SignedToken(text, issued, lifetime);
    }

    /// <summary>
    /// The claims of a token that is genuine, of this purpose, and valid now; null for any other
    /// text.
    /// </summary>
    public async ValueTask<JsonElement?> VerifyAsync(TokenPurpose purpose, string token, CancellationToken cancellation)
    {
        // Only a token which names our algorithm, and one of our keys, costs a signature.
        if (CompactToken.Read(token) is not { } parts || CompactToken.Text(parts.Header, "alg") != SecurityAlgorithms.EcdsaSha256
            || CompactToken.Text(parts.Header, "kid") is not { } id || await keys.FindAsync(id, cancellation) is not { } key) return null;

        var result = _handler.ValidateToken(token, new TokenValidationParameters
        {
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
            ValidTypes = [purpose.HeaderType],
            ValidIssuer = options.Value.Service,
            ValidAudience = AudienceOf(purpose),
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            RequireAudience = true,
            LifetimeValidator = IsValidNow,
        });
        return result.IsValid ? parts.Claims : null;
    }

    private string AudienceOf(TokenPurpose purpose) => options.Value.Service + purpose.AudienceSuffix;

    private bool IsValidNow(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters _)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return notBefore <= now + ClockSkew && now < expires + ClockSkew;
    }
}

/// <summary>What a token is for: the header's <c>typ</c>, and what follows the service's name in <c>aud</c>.</summary>
internal sealed record TokenPurpose(string HeaderType, string AudienceSuffix)
{
    public static TokenPurpose Bearer { get; } = new("JWT", "");
    public static TokenPurpose Refresh { get; } = new("refresh+jwt", ":refresh");
}

/// <summary>A token, and from when on it is valid how long.</summary>
public sealed record SignedToken(string Text, DateTimeOffset Issued, TimeSpan Lifetime);
