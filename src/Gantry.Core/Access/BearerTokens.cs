using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// The short-lived tokens that requests carry. What they grant was decided when they were issued; a disabled account
/// keeps its last token until it runs out (<c>Access:TokenLifetime</c>).
/// </summary>
public sealed class BearerTokens
{
    // A verified token is remembered until it expires, by its SHA-256. Clients ask for one repository, or for two;
    // tokens for many are not remembered, so that 4096 entries stay below 20 MiB whatever is asked for.
    private const int Remembered = 4096;
    private const int RememberedRepositories = 8;

    private readonly SignedTokens _tokens;
    private readonly AccessPolicy _policy;
    private readonly IOptions<AccessOptions> _options;
    private readonly TimeProvider _time;
    private readonly RecentlyUsed<string, TokenCaller> _verified = new(Remembered);

    internal BearerTokens(SignedTokens tokens, AccessPolicy policy, IOptions<AccessOptions> options, TimeProvider time) =>
        (_tokens, _policy, _options, _time) = (tokens, policy, options, time);

    /// <summary>
    /// A token for an account, or for nobody (null), that grants what the policy gives of the
    /// request.
    /// </summary>
    public Task<SignedToken> IssueAsync(Account? account, ScopeRequest request, CancellationToken cancellation = default)
    {
        var claims = new Dictionary<string, object> { ["access"] = TokenGrants.AccessClaim(_policy, account, request) };
        var subject = account?.Name.ToString() ?? "";
        return _tokens.IssueAsync(TokenPurpose.Bearer, subject, _options.Value.TokenLifetime, claims, cancellation);
    }

    /// <summary>The caller that holds this token; null when the token is not one of ours, or not valid now.</summary>
    public async ValueTask<ExplainedCaller?> VerifyAsync(string token, CancellationToken cancellation = default)
    {
        if (token.Length > SignedTokens.MaxLength) return null;
        var key = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (_verified.TryGet(key, out var known))
        {
            if (_time.GetUtcNow() < known.Expires + SignedTokens.ClockSkew) return known;
            _verified.Remove(key);
            return null;
        }

        if (await _tokens.VerifyAsync(TokenPurpose.Bearer, token, cancellation) is not { } claims) return null;
        if (Read(claims) is not { } grants) return null;
        var caller = new TokenCaller(_policy, grants);
        if (grants.Repositories.Count <= RememberedRepositories) _verified.Set(key, caller);
        return caller;
    }

    private TokenGrants? Read(JsonElement claims)
    {
        if (!claims.TryGetProperty("sub", out var sub) || !claims.TryGetProperty("access", out var access)) return null;
        var subject = sub.GetString();
        AccountName? account = AccountName.TryParse(subject, out var name) ? name : null;
        if (account is null && (subject is not "" || !_policy.AllowsAnonymous)) return null;
        var expires = DateTimeOffset.FromUnixTimeSeconds(claims.GetProperty("exp").GetInt64());
        return TokenGrants.FromClaims(account, access, expires);
    }
}
