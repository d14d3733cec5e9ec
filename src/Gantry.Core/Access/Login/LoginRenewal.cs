using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>
/// Asks the database whether what an account once proved still holds: the account is there and not disabled, the access
/// token or the trust it came by has neither been revoked nor run out.
/// </summary>
public sealed class LoginRenewal(IDbContextFactory<RegistryDbContext> database)
{
    /// <summary>Null: it does not hold any more.</summary>
    public async Task<LoggedIn?> RenewAsync(
        long accountId, long? accessTokenId, long? trustId, CancellationToken cancellationToken = default)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var account = await db.Accounts.AsNoTracking()
            .SingleOrDefaultAsync(row => row.Id == accountId && row.DisabledAt == null, cancellationToken);
        if (account is null) return null;

        if (accessTokenId is { } tokenId)
        {
            var token = await db.AccessTokens.FromSql(
                    $"""
                     SELECT * FROM access_tokens
                     WHERE id = {tokenId} AND account_id = {accountId} AND (expires_at IS NULL OR expires_at > now())
                     """).AsNoTracking().SingleOrDefaultAsync(cancellationToken);
            return token is null ? null : account.ToLogin(token);
        }

        if (trustId is not { } id) return account.ToLogin();
        var trust = await db.Trusts.AsNoTracking()
            .SingleOrDefaultAsync(row => row.Id == id && row.AccountId == accountId, cancellationToken);
        return trust is null
            ? null
            : account.ToLogin(LoginMethod.Keyless) with { TrustId = id, Limit = AccessLimit.Parse(trust.Scopes) };
    }
}
