using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>An access token without its text, which is shown once, when it is made.</summary>
/// <param name="Scopes">See <see cref="AccessLimit"/>.</param>
/// <param name="ExpiresAt">Null: never.</param>
/// <param name="LastUsedAt">To the minute; null: not yet.</param>
public sealed record AccessToken(
    long Id, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt);

/// <summary>Access tokens of people and robots: made, listed, revoked. Looking at one is <see cref="AccessTokenLogin"/>.</summary>
public sealed class AccessTokens(IDbContextFactory<RegistryDbContext> database, AccessWriting writing)
{
    public const int MaxPerAccount = 100;
    public const int MaxNameLength = 100;

    /// <summary>Expired ones too; at most <see cref="MaxPerAccount"/>, in the order they were made.</summary>
    public async Task<IReadOnlyList<AccessToken>> ListAsync(AccountName account, CancellationToken cancellationToken)
    {
        var text = account.ToString();
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var rows = await db.AccessTokens.AsNoTracking()
            .Where(row => db.Accounts.Any(owner => owner.Id == row.AccountId && owner.Name == text))
            .OrderBy(row => row.Id).Take(MaxPerAccount).ToListAsync(cancellationToken);
        return [.. rows.Select(Of)];
    }

    /// <returns>The token and its text, which nobody can read again; null: there is no such account.</returns>
    /// <exception cref="OciException">DENIED (409): the account has <see cref="MaxPerAccount"/> tokens.</exception>
    public async Task<(AccessToken Token, string Text)?> CreateAsync(
        AccountName account, string name, AccessLimit limit, DateTimeOffset? expiresAt, Actor actor,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, MaxNameLength);
        var (owner, scopes) = (account.ToString(), limit.Scopes.ToArray());
        AccessToken? made = null;
        var text = "";
        await writing.ChangeAsync(
            new Event(EventKinds.AccessTokenCreate)
            {
                Namespace = account.Home, Subject = owner, Detail = $"{name}: {string.Join(' ', scopes)}",
            },
            actor, null,
            async db =>
            {
                // Locked: two that are made at once cannot both be the last.
                var row = (await db.Accounts.FromSql($"SELECT * FROM accounts WHERE name = {owner} FOR UPDATE")
                    .AsNoTracking().ToListAsync(cancellationToken)).SingleOrDefault();
                if (row is null) return false;
                if (await db.AccessTokens.CountAsync(token => token.AccountId == row.Id, cancellationToken) >= MaxPerAccount)
                {
                    throw new OciException(OciErrorCode.Denied,
                        $"{owner} has {MaxPerAccount} access tokens, the most there may be: revoke one first", 409);
                }

                text = AccessTokenText.Generate(row.ToAccount().Kind);
                var hash = AccessTokenText.HashOf(text);
                var inserted = (await db.AccessTokens.FromSql(
                    $"""
                     INSERT INTO access_tokens (account_id, name, hash, scopes, expires_at)
                     VALUES ({row.Id}, {name}, {hash}, {scopes}, {expiresAt}) RETURNING *
                     """).AsNoTracking().ToListAsync(cancellationToken)).Single();
                made = Of(inserted);
                return true;
            }, cancellationToken);
        return made is null ? null : (made, text);
    }

    /// <summary>Ends a token, and every bearer and refresh token made from it, at once. False: the account has none of that id.</summary>
    public Task<bool> RevokeAsync(AccountName account, long id, Actor actor, CancellationToken cancellationToken)
    {
        var owner = account.ToString();
        return writing.ChangeAsync(
            new Event(EventKinds.AccessTokenRevoke) { Namespace = account.Home, Subject = owner, Detail = $"access token {id}" }, actor, owner,
            async db => await db.AccessTokens
                .Where(row => row.Id == id && db.Accounts.Any(holder => holder.Id == row.AccountId && holder.Name == owner))
                .ExecuteDeleteAsync(cancellationToken) > 0, cancellationToken);
    }

    private static AccessToken Of(AccessTokenRow row) =>
        new(row.Id, row.Name, row.Scopes, row.CreatedAt, row.ExpiresAt, row.LastUsedAt);
}
