using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>Tokens of an issuer with these claims stand for an account.</summary>
/// <param name="Issuer">Its name in the configuration.</param>
/// <param name="Scopes">See <see cref="AccessLimit"/>.</param>
public sealed record Trust(
    long Id, AccountName Account, string Issuer, ClaimRules Claims, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt);

/// <summary>Trusts of robots (and people): made, listed, removed. Looking at a token is <see cref="KeylessLogin"/>.</summary>
public sealed class Trusts(
    IDbContextFactory<RegistryDbContext> database, AccessWriting writing, IOptions<KeylessOptions> options)
{
    public const int MaxPerAccount = 100;

    /// <summary>All of an issuer's are looked at in one login; beyond, none can be added.</summary>
    public const int MaxPerIssuer = 1000;

    /// <summary>In the order they were made.</summary>
    public Task<IReadOnlyList<Trust>> ListAsync(AccountName account, CancellationToken cancellationToken)
    {
        var text = account.ToString();
        return ListAsync((_, accounts) => accounts.Where(row => row.Name == text), MaxPerAccount, cancellationToken);
    }

    /// <summary>Those of all robots of a namespace, in the order they were made; at most 10,000.</summary>
    public Task<IReadOnlyList<Trust>> ListOfNamespaceAsync(string name, CancellationToken cancellationToken) =>
        ListAsync(
            (db, accounts) => accounts.Where(row => db.Namespaces.Any(space => space.Name == name && space.Id == row.NamespaceId)),
            10_000, cancellationToken);

    /// <returns>Null: there is no such account.</returns>
    /// <exception cref="ArgumentException">The issuer is not configured.</exception>
    /// <exception cref="OciException">DENIED (409): the account or the issuer has as many as there may be.</exception>
    public async Task<Trust?> AddAsync(
        AccountName account, string issuer, ClaimRules claims, AccessLimit limit, Actor actor, CancellationToken cancellationToken)
    {
        if (!options.Value.Issuers.ContainsKey(issuer))
        {
            var known = options.Value.Issuers.Count == 0 ? "none is" : string.Join(", ", options.Value.Issuers.Keys.Order(StringComparer.Ordinal));
            throw new ArgumentException($"the issuer '{issuer}' is not configured (Keyless:Issuers); configured: {known}", nameof(issuer));
        }

        var (owner, json, scopes) = (account.ToString(), claims.ToJson(), limit.Scopes.ToArray());
        Trust? made = null;
        await writing.ChangeAsync(
            new Event(EventKinds.TrustAdd)
            {
                Namespace = account.Home, Subject = owner, Detail = $"{issuer}: {claims}; {string.Join(' ', scopes)}",
            }, actor, null,
            async db =>
            {
                // Two that are added at once cannot both be the last.
                await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({AccessLocks.Trusts})", cancellationToken);
                var row = await db.Accounts.AsNoTracking().SingleOrDefaultAsync(row => row.Name == owner, cancellationToken);
                if (row is null) return false;
                if (await db.Trusts.CountAsync(trust => trust.AccountId == row.Id, cancellationToken) >= MaxPerAccount)
                    throw TooMany($"{owner} has {MaxPerAccount} trusts");
                if (await db.Trusts.CountAsync(trust => trust.Issuer == issuer, cancellationToken) >= MaxPerIssuer)
                    throw TooMany($"the issuer {issuer} has {MaxPerIssuer} trusts");
                var added = new TrustRow { AccountId = row.Id, Issuer = issuer, Claims = json, Scopes = scopes };
                db.Trusts.Add(added);
                await db.SaveChangesAsync(cancellationToken);
                made = Of(added, owner);
                return true;
            }, cancellationToken);
        return made;
    }

    /// <summary>Ends a trust, and every bearer and refresh token made by it, at once. False: the account has none of that id.</summary>
    public async Task<bool> RemoveAsync(AccountName account, long id, Actor actor, CancellationToken cancellationToken)
    {
        var owner = account.ToString();
        var trust = (await ListAsync(account, cancellationToken)).FirstOrDefault(trust => trust.Id == id);
        if (trust is null) return false;
        var detail = $"trust {id}, {trust.Issuer}: {trust.Claims}";
        return await writing.ChangeAsync(
            new Event(EventKinds.TrustRemove) { Namespace = account.Home, Subject = owner, Detail = detail }, actor, owner,
            async db => await db.Trusts
                .Where(row => row.Id == id && db.Accounts.Any(holder => holder.Id == row.AccountId && holder.Name == owner))
                .ExecuteDeleteAsync(cancellationToken) > 0, cancellationToken);
    }

    private async Task<IReadOnlyList<Trust>> ListAsync(
        Func<RegistryDbContext, IQueryable<AccountRow>, IQueryable<AccountRow>> of, int most, CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var rows = await of(db, db.Accounts.AsNoTracking())
            .Join(db.Trusts.AsNoTracking(), row => row.Id, trust => trust.AccountId, (row, trust) => new { trust, row.Name })
            .OrderBy(entry => entry.trust.Id).Take(most).ToListAsync(cancellationToken);
        return [.. rows.Select(entry => Of(entry.trust, entry.Name))];
    }

    private static Trust Of(TrustRow row, string account) =>
        new(row.Id, AccountName.Parse(account), row.Issuer, ClaimRules.ParseStored(row.Claims), row.Scopes, row.CreatedAt);

    private static OciException TooMany(string text) =>
        new(OciErrorCode.Denied, $"{text}, the most there may be: remove one first", 409);
}
