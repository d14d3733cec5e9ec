using System.Text.Json;
using Gantry.Oci;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>
/// Verifies tokens of the configured issuers (RFC 7519; RFC 8725 says against what). What a token says of itself decides
/// nothing but which issuer and which of its keys are asked: <c>jku</c>, <c>x5u</c>, <c>x5c</c> and <c>jwk</c> are not read.
/// </summary>
internal sealed class IssuerTokens : IDisposable
{
    /// <summary>No token of a machine needs longer; one that does is a secret that lies about.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(24);

    private const string NoToken = "the password is no token of an issuer (a JSON Web Token, signed)";
    private const string BadSignature = "the token's signature is not its issuer's";
    private const int MaxKeyIdLength = 256;

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = SignedTokens.MaxLength };
    private readonly Dictionary<string, Issuer> _byUrl;
    private readonly TimeProvider _time;

    public IssuerTokens(
        IOptions<KeylessOptions> options, IOptions<AccessOptions> access, TimeProvider time, ILoggerFactory logs)
    {
        _time = time;
        _byUrl = options.Value.Issuers.ToDictionary(
            entry => entry.Value.Issuer,
            entry => new Issuer(
                entry.Key, entry.Value.Audience.Length > 0 ? entry.Value.Audience : access.Value.Service, entry.Value,
                new IssuerKeys(entry.Key, entry.Value, time, logs.CreateLogger<IssuerKeys>())),
            StringComparer.Ordinal);
    }

    public IEnumerable<IssuerKeys> Keys => _byUrl.Values.Select(issuer => issuer.Keys);

    /// <exception cref="OciException">Unavailable: the issuer's keys cannot be had.</exception>
    public async ValueTask<IssuerToken> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        // 1. A look that costs nothing.
        if (CompactToken.Read(token) is not var (header, claims)) return new(null, NoToken);

        // 2. Whose it says it is. Nothing is fetched that the configuration does not name.
        if (CompactToken.Text(claims, "iss") is not { } url || !_byUrl.TryGetValue(url, out var issuer))
            return new(null, "the token's issuer (iss) is not configured here");

        // 3. A signature is looked at only for an algorithm that is wanted and a key that the issuer has.
        if (CompactToken.Text(header, "alg") is not { } algorithm || !issuer.Options.Allows(algorithm))
            return new(issuer.Name, "the token's algorithm (alg) is not accepted");
        if (header.TryGetProperty("crit", out _)) return new(issuer.Name, "the token has a critical header, and none is known here");
        if (CompactToken.Text(header, "kid") is not { Length: > 0 and <= MaxKeyIdLength } id) return new(issuer.Name, "the token names no key (kid)");
        if (await issuer.Keys.FindAsync(id, algorithm, cancellationToken) is not { } key)
            return new(issuer.Name, "the token's key (kid) is none of its issuer's");

        // 4. The signature first: until it is right, nothing that the claims say is worth an answer.
        var result = _handler.ValidateToken(token, new TokenValidationParameters
        {
            ValidAlgorithms = [algorithm],
            ValidIssuer = issuer.Options.Issuer,
            ValidAudience = issuer.Audience,
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            RequireAudience = true,
            LifetimeValidator = (_, _, _, _) => FaultOfTimes(claims) is null,
        });
        if (!result.IsValid) return new(issuer.Name, FaultOf(result.Exception, issuer, claims));
        return FaultOfSubject(claims) is { } fault ? new(issuer.Name, fault) : new(issuer.Name, null, claims);
    }

    public void Dispose()
    {
        foreach (var issuer in _byUrl.Values) issuer.Keys.Dispose();
    }

    private string FaultOf(Exception? fault, Issuer issuer, JsonElement claims) => fault switch
    {
        SecurityTokenInvalidAudienceException => $"the token's audience (aud) is not {issuer.Audience}",
        SecurityTokenInvalidLifetimeException or SecurityTokenNoExpirationException => FaultOfTimes(claims) ?? BadSignature,
        _ => BadSignature,
    };

    private string? FaultOfTimes(JsonElement claims)
    {
        var (now, skew) = (_time.GetUtcNow().ToUnixTimeSeconds(), (long)SignedTokens.ClockSkew.TotalSeconds);
        if (!Number(claims, "exp", out var expires) || expires is null) return "the token never expires (exp)";
        if (!Number(claims, "nbf", out var notBefore) || !Number(claims, "iat", out var issued)) return "the token's times are no numbers";
        if (now >= expires + skew) return "the token has expired (exp)";
        if (notBefore > now + skew || issued > now + skew) return "the token is not valid yet (nbf, iat)";
        return expires - Math.Min(issued ?? now, now) > MaxLifetime.TotalSeconds + skew
            ? $"the token lives longer than {MaxLifetime.TotalHours} hours" : null;
    }

    private static string? FaultOfSubject(JsonElement claims) =>
        CompactToken.Text(claims, "sub") is { Length: > 0 } ? null : "the token has no subject (sub)";

    // Seconds since 1970, also with a fraction (RFC 7519, 2). Null: not there. False: not a number of our times.
    private static bool Number(JsonElement claims, string name, out double? value)
    {
        value = null;
        if (!claims.TryGetProperty(name, out var member)) return true;
        if (member.ValueKind != JsonValueKind.Number || !member.TryGetDouble(out var number) || number is < 0 or > 253402300799) return false;
        value = number;
        return true;
    }

    private sealed record Issuer(string Name, string Audience, IssuerOptions Options, IssuerKeys Keys);
}
