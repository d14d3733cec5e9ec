using Gantry.Core.Browse;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gantry.Core.Access;

/// <summary>A namespace as those who may see it see it.</summary>
public sealed record NamespaceInfo(string Name, Visibility Visibility, DateTimeOffset CreatedAt);

/// <summary>The namespaces in the database.</summary>
public sealed class Namespaces(IDbContextFactory<RegistryDbContext> database, AccessWriting writing)
{
    /// <summary>The largest page of a listing.</summary>
    public const int MaxPage = 1000;

    /// <summary>Null: there is none.</summary>
    public async Task<NamespaceInfo?> FindAsync(NamespaceName name, CancellationToken cancellationToken)
    {
        var text = name.ToString();
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var row = await db.Namespaces.AsNoTracking().SingleOrDefaultAsync(row => row.Name == text, cancellationToken);
        return row is null ? null : Of(row);
    }

    /// <summary>Null: there is none, or none that the caller may see; which of them is nobody's business.</summary>
    public async Task<NamespaceInfo?> FindAsync(AccountReach reach, NamespaceName name, CancellationToken cancellationToken)
    {
        var (text, all, open, account) = (name.ToString(), reach.All, reach.Public, reach.AccountId);
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var rows = await db.Namespaces.FromSql(
            $"""
             SELECT n.* FROM namespaces n
             WHERE n.name = {text} AND ({all} OR ({open} AND n.visibility = 'public') OR n.id IN
                 (SELECT m.namespace_id FROM memberships m WHERE m.account_id = {account} OR m.group_name IN
                     (SELECT g.name FROM account_groups g WHERE g.account_id = {account})))
             """).AsNoTracking().ToListAsync(cancellationToken);
        return rows.Select(Of).SingleOrDefault();
    }

    /// <summary>Those that the caller may see: all, or the public ones and those in which it has a role; by name.</summary>
    /// <param name="reach">The caller's.</param>
    /// <param name="words">All of them are in the name, as in <see cref="RepositoryQuery"/>; empty: all namespaces.</param>
    /// <param name="last">Only names behind this one; null: from the first on.</param>
    /// <param name="limit">How many.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<NamespaceInfo>> PageAsync(
        AccountReach reach, string words, string? last, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        if (RepositoryScan.Patterns(words) is not { } patterns) return [];
        var (after, all, open, account) = (last ?? "", reach.All, reach.Public, reach.AccountId);
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var rows = await db.Namespaces.FromSql(
            $"""
             SELECT n.* FROM namespaces n
             WHERE n.name > {after} AND n.name LIKE ALL ({patterns}) AND ({all} OR ({open} AND n.visibility = 'public') OR n.id IN
                 (SELECT m.namespace_id FROM memberships m WHERE m.account_id = {account} OR m.group_name IN
                     (SELECT g.name FROM account_groups g WHERE g.account_id = {account})))
             ORDER BY n.name LIMIT {limit}
             """).AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(Of)];
    }

    /// <summary>False: there is one of that name.</summary>
    /// <param name="maintainer">Becomes its first member; null: it has none.</param>
    public async Task<bool> CreateAsync(
        NamespaceName name, Visibility visibility, Account? maintainer, Actor actor, CancellationToken cancellationToken)
    {
        var (text, word) = (name.ToString(), WordOf(visibility));
        return await writing.ChangeAsync(
            new Event(EventKinds.NamespaceCreate) { Namespace = text, Detail = word }, actor, null,
            async db =>
            {
                var made = await db.Database.SqlQuery<long>(
                    $"""
                     INSERT INTO namespaces (name, visibility) VALUES ({text}, {word}) ON CONFLICT (name) DO NOTHING
                     RETURNING id AS "Value"
                     """).ToListAsync(cancellationToken);
                if (made.Count == 0) return false;
                if (maintainer is not null) await db.AddMaintainerAsync(made[0], maintainer.Id, cancellationToken);
                return true;
            }, cancellationToken);
    }

    /// <summary>False: there is no such namespace.</summary>
    /// <param name="name">Which.</param>
    /// <param name="visibility">From now on.</param>
    /// <param name="actor">Who changes it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="expect">Sees the namespace while nobody else can change it; what it throws stops the change.</param>
    public Task<bool> SetVisibilityAsync(
        NamespaceName name, Visibility visibility, Actor actor, CancellationToken cancellationToken, Action<NamespaceInfo>? expect = null)
    {
        var (text, word) = (name.ToString(), WordOf(visibility));
        return writing.ChangeAsync(
            new Event(EventKinds.NamespaceChange) { Namespace = text, Detail = word }, actor, null,
            async db =>
            {
                await ExpectAsync(db, text, expect, cancellationToken);
                return await db.Namespaces.Where(row => row.Name == text)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.Visibility, word), cancellationToken) > 0;
            }, cancellationToken);
    }

    /// <summary>Removes a namespace without repositories, and with it its members, rules and robots.</summary>
    /// <inheritdoc cref="SetVisibilityAsync" path="/param"/>
    /// <returns>Null: there is none; false: it has repositories.</returns>
    public async Task<bool?> DeleteAsync(
        NamespaceName name, Actor actor, CancellationToken cancellationToken, Action<NamespaceInfo>? expect = null)
    {
        var text = name.ToString();
        try
        {
            var deleted = await writing.ChangeAsync(
                new Event(EventKinds.NamespaceDelete) { Namespace = text }, actor, null,
                async db =>
                {
                    await ExpectAsync(db, text, expect, cancellationToken);
                    // Its robots go with it, and may have roles elsewhere: their bearer tokens end too.
                    var robots = await db.Accounts.Where(row => db.Namespaces.Any(home => home.Name == text && home.Id == row.NamespaceId))
                        .Select(row => row.Name).ToListAsync(cancellationToken);
                    var rows = await db.Namespaces.Where(row => row.Name == text
                            && !db.Repositories.Any(repository => repository.NamespaceId == row.Id))
                        .ExecuteDeleteAsync(cancellationToken);
                    if (rows == 0) return false;
                    foreach (var robot in robots) await db.RecordChangeAsync(robot, null, cancellationToken);
                    return true;
                }, cancellationToken);
            if (deleted) return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            // A push made a repository meanwhile, again and again.
            return false;
        }

        return await FindAsync(name, cancellationToken) is null ? null : false;
    }

    // Pushes of a new repository pass.
    private static async Task ExpectAsync(RegistryDbContext db, string name, Action<NamespaceInfo>? expect, CancellationToken cancellationToken)
    {
        if (expect is null) return;
        var rows = await db.Namespaces.FromSql($"SELECT * FROM namespaces WHERE name = {name} FOR NO KEY UPDATE").AsNoTracking().ToListAsync(cancellationToken);
        foreach (var row in rows) expect(Of(row));
    }

    private static NamespaceInfo Of(NamespaceRow row) =>
        new(row.Name, Enum.Parse<Visibility>(row.Visibility, ignoreCase: true), row.CreatedAt);

    private static string WordOf(Visibility visibility) => visibility.ToString().ToLowerInvariant();
}
