using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>A bearer token, and what of the request it grants.</summary>
public sealed record GrantedToken(SignedToken Token, IReadOnlyList<Scope> Granted);

/// <summary>
/// The short-lived tokens that requests carry. What they grant was decided when they were issued; what was taken away
/// since is not granted any more (<see cref="AccessChanges"/>), what was given since needs another token.
/// </summary>
public sealed class BearerTokens
{
    // A verified token is remembered until it expires, by its SHA-256. Clients ask for one repository, or for two;
    // tokens for many are not remembered, so that 4096 entries stay below 20 MiB whatever is asked for.
    private const int Remembered = 4096;
    private const int RememberedRepositories = 8;

    private readonly SignedTokens _tokens;
    private readonly AccessPolicy _policy;
    private readonly LoginRenewal _logins;
    private readonly AccessChanges _changes;
    private readonly IOptions<AccessOptions> _options;
    private readonly TimeProvider _time;
    private readonly RecentlyUsed<TokenKey, TokenCaller> _verified = new(Remembered);

    internal BearerTokens(
        SignedTokens tokens, AccessPolicy policy, LoginRenewal logins, AccessChanges changes, IOptions<AccessOptions> options,
        TimeProvider time) =>
        (_tokens, _policy, _logins, _changes, _options, _time) = (tokens, policy, logins, changes, options, time);

    /// <summary>
    /// A token for an account, or for nobody (null), that grants what the policy gives of the request. It ends with the
    /// login it is given for.
    /// </summary>
    public async Task<GrantedToken> IssueAsync(
        LoggedIn? login, ScopeRequest request, CancellationToken cancellation = default)
    {
        // Before anything is decided: a change in between has the token looked at again.
        var revision = _changes.Revision;
        var (claims, granted) = await TokenGrants.ClaimsAsync(_policy.CallerFor(login), login, request, revision, cancellation);
        var configured = _options.Value.TokenLifetime;
        var lifetime = login?.Shorten(configured, _time.GetUtcNow()) ?? configured;
        var token = await _tokens.IssueAsync(
            TokenPurpose.Bearer, login?.Account.Name.ToString() ?? "", lifetime, claims, cancellation);
        return new GrantedToken(token, granted);
    }

    /// <summary>The caller that holds this token; null when the token is not one of ours, or not valid now.</summary>
    public async ValueTask<ExplainedCaller?> VerifyAsync(string token, CancellationToken cancellation = default) =>
        await FindAsync(token, cancellation) is { } caller && await caller.IsStillHeldAsync(cancellation) ? caller : null;

    private async ValueTask<TokenCaller?> FindAsync(string token, CancellationToken cancellation)
    {
        if (token.Length > SignedTokens.MaxLength) return null;
        var key = TokenKey.Of(token);
        if (_verified.TryGet(key, out var known))
        {
            if (_time.GetUtcNow() < known.Expires + SignedTokens.ClockSkew) return known;
            _verified.Remove(key);
            return null;
        }

        if (await _tokens.VerifyAsync(TokenPurpose.Bearer, token, cancellation) is not { } claims) return null;
        if (TokenGrants.FromClaims(claims) is not { } grants) return null;
        var caller = new TokenCaller(_policy, _logins, _changes, grants);
        if (grants.Repositories.Count <= RememberedRepositories) _verified.Set(key, caller);
        return caller;
    }
}

/// <summary>The SHA-256 of a token: what is remembered of it. Made for each request, so it allocates nothing.</summary>
internal readonly record struct TokenKey(UInt128 First, UInt128 Second)
{
    public static TokenKey Of(string token)
    {
        Span<byte> text = stackalloc byte[1024], hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (Encoding.UTF8.TryGetBytes(token, text, out var length)) SHA256.HashData(text[..length], hash);
        else SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        return new TokenKey(MemoryMarshal.Read<UInt128>(hash), MemoryMarshal.Read<UInt128>(hash[16..]));
    }
}
