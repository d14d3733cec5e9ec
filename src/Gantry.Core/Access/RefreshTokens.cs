using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// What <c>docker login</c> keeps instead of the password. Stateless: it holds the account's security stamp, so a
/// changed password or a disabled account ends it at its next use.
/// </summary>
public sealed class RefreshTokens
{
    private const string StampClaim = "stamp";

    private readonly SignedTokens _tokens;
    private readonly Accounts _accounts;
    private readonly IOptions<AccessOptions> _options;

    internal RefreshTokens(SignedTokens tokens, Accounts accounts, IOptions<AccessOptions> options) =>
        (_tokens, _accounts, _options) = (tokens, accounts, options);

    public Task<SignedToken> IssueAsync(LoggedIn login, CancellationToken cancellation = default) =>
        _tokens.IssueAsync(
            TokenPurpose.Refresh, login.Account.Name.ToString(), _options.Value.RefreshTokenLifetime,
            new Dictionary<string, object> { [StampClaim] = login.SecurityStamp.ToString("N") }, cancellation);

    /// <summary>
    /// The account it was issued to; null when it is not ours, has expired, or its account's stamp
    /// changed.
    /// </summary>
    public async Task<Account?> RedeemAsync(string token, CancellationToken cancellation = default)
    {
        if (await _tokens.VerifyAsync(TokenPurpose.Refresh, token, cancellation) is not { } claims) return null;
        return AccountName.TryParse(claims.GetProperty("sub").GetString(), out var name)
            && Guid.TryParseExact(claims.GetProperty(StampClaim).GetString(), "N", out var stamp)
            ? await _accounts.FindAsync(name, stamp, cancellation)
            : null;
    }
}
