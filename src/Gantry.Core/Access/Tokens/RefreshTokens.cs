using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// What <c>docker login</c> keeps instead of the password. Stateless: it holds the account's security stamp, and which
/// access token or trust it came by, so a changed password, a disabled account or a revoked token ends it at its next use.
/// </summary>
public sealed class RefreshTokens
{
    private const string StampClaim = "stamp", AccountIdClaim = "uid", AccessTokenClaim = "pat", TrustClaim = "tru";

    private readonly SignedTokens _tokens;
    private readonly LoginRenewal _logins;
    private readonly IOptions<AccessOptions> _options;
    private readonly TimeProvider _time;

    internal RefreshTokens(SignedTokens tokens, LoginRenewal logins, IOptions<AccessOptions> options, TimeProvider time) =>
        (_tokens, _logins, _options, _time) = (tokens, logins, options, time);

    /// <summary>A token that lasts as long as the login it is made from, and no longer than the configured lifetime.</summary>
    public Task<SignedToken> IssueAsync(LoggedIn login, CancellationToken cancellation = default)
    {
        var claims = new Dictionary<string, object>
        {
            [StampClaim] = login.SecurityStamp.ToString("N"), [AccountIdClaim] = login.Account.Id,
        };
        if (login.AccessTokenId is { } token) claims[AccessTokenClaim] = token;
        if (login.TrustId is { } trust) claims[TrustClaim] = trust;

        var lifetime = login.Shorten(_options.Value.RefreshTokenLifetime, _time.GetUtcNow());
        return _tokens.IssueAsync(TokenPurpose.Refresh, login.Account.Name.ToString(), lifetime, claims, cancellation);
    }

    /// <summary>
    /// The login it was issued for; null when it is not ours, has expired, its account's stamp changed, or the access
    /// token or trust behind it is gone.
    /// </summary>
    public async Task<LoggedIn?> RedeemAsync(string token, CancellationToken cancellation = default)
    {
        if (await _tokens.VerifyAsync(TokenPurpose.Refresh, token, cancellation) is not { } claims) return null;
        if (Number(AccountIdClaim) is not { } account) return null;
        var login = await _logins.RenewAsync(account, Number(AccessTokenClaim), Number(TrustClaim), cancellation);
        if (login is null || !Guid.TryParseExact(claims.GetProperty(StampClaim).GetString(), "N", out var stamp)
            || stamp != login.SecurityStamp) return null;

        // What is made from it lives no longer than itself.
        return login with { Expires = DateTimeOffset.FromUnixTimeSeconds(claims.GetProperty("exp").GetInt64()) };

        long? Number(string claim) => claims.TryGetProperty(claim, out var value) ? value.GetInt64() : null;
    }
}
