using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>
/// The robots of a namespace: accounts named <c>robot.NAMESPACE.NAME</c> that its maintainers make and that go with it.
/// They log in with access tokens, or keyless by a trust; never with a password.
/// </summary>
public sealed class Robots(IDbContextFactory<RegistryDbContext> database, AccessWriting writing)
{
    /// <summary>The largest page of a listing.</summary>
    public const int MaxPage = 1000;

    /// <summary>By name, after <paramref name="last"/>.</summary>
    public async Task<IReadOnlyList<AccountRow>> PageAsync(
        NamespaceName name, string? last, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        var (text, after) = (name.ToString(), last ?? "");
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        return await db.Accounts.FromSql(
            $"""
             SELECT a.* FROM accounts a JOIN namespaces n ON n.id = a.namespace_id
             WHERE n.name = {text} AND a.name > {after} ORDER BY a.name LIMIT {limit}
             """).AsNoTracking().ToListAsync(cancellationToken);
    }

    /// <summary>The namespace that an account is a robot of; null: it is a person, or there is none.</summary>
    public async Task<NamespaceName?> HomeOfAsync(AccountName account, CancellationToken cancellationToken)
    {
        var text = account.ToString();
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var name = await (
            from row in db.Accounts
            join home in db.Namespaces on row.NamespaceId equals home.Id
            where row.Name == text
            select home.Name).SingleOrDefaultAsync(cancellationToken);
        return name is null ? null : NamespaceName.Parse(name);
    }

    /// <summary>Null: the namespace has no such robot.</summary>
    public async Task<AccountRow?> FindAsync(NamespaceName home, AccountName robot, CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        return await At(db, home.ToString(), robot.ToString()).AsNoTracking().SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>Makes a robot with a role in its namespace. False: the name is taken, or there is no such namespace.</summary>
    public async Task<bool> CreateAsync(
        NamespaceName home, AccountName robot, NamespaceRole role, Actor actor, CancellationToken cancellationToken)
    {
        var (text, name, word) = (home.ToString(), robot.ToString(), role.ToString().ToLowerInvariant());
        return await writing.ChangeAsync(
            new Event(EventKinds.AccountCreate) { Namespace = text, Subject = name, Detail = $"robot, {word}" }, actor, name,
            async db => await db.Database.ExecuteSqlAsync(
                $"""
                 WITH made AS (
                     INSERT INTO accounts (name, kind, namespace_id, security_stamp)
                     SELECT {name}, 'robot', n.id, gen_random_uuid() FROM namespaces n WHERE n.name = {text}
                     ON CONFLICT (name) DO NOTHING
                     RETURNING id, namespace_id)
                 INSERT INTO memberships (namespace_id, account_id, role) SELECT namespace_id, id, {word} FROM made
                 """, cancellationToken) > 0, cancellationToken);
    }

    /// <summary>Stops all logins of a robot at once, or lets them in again. False: the namespace has no such robot.</summary>
    /// <param name="home">Its namespace.</param>
    /// <param name="robot">Which.</param>
    /// <param name="disabled">Whether its logins stop.</param>
    /// <param name="actor">Who.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="expect">Sees the robot while nobody else can change it; what it throws stops the change.</param>
    public Task<bool> SetDisabledAsync(
        NamespaceName home, AccountName robot, bool disabled, Actor actor, CancellationToken cancellationToken, Action<AccountRow>? expect = null)
    {
        var (text, name, settings) = (home.ToString(), robot.ToString(), new AccountSettings { Disabled = disabled });
        return writing.ChangeAsync(
            new Event(EventKinds.AccountChange) { Namespace = text, Subject = name, Detail = settings.ToString() }, actor, name,
            async db => await LockAsync(db, text, name, expect, cancellationToken)
                && await db.UpdateAsync(name, settings, cancellationToken) > 0, cancellationToken);
    }

    /// <summary>Removes a robot with its memberships, access tokens and trusts. False: the namespace has no such robot.</summary>
    /// <inheritdoc cref="SetDisabledAsync" path="/param"/>
    public Task<bool> DeleteAsync(
        NamespaceName home, AccountName robot, Actor actor, CancellationToken cancellationToken, Action<AccountRow>? expect = null)
    {
        var (text, name) = (home.ToString(), robot.ToString());
        return writing.ChangeAsync(
            new Event(EventKinds.AccountDelete) { Namespace = text, Subject = name }, actor, name,
            async db => await LockAsync(db, text, name, expect, cancellationToken)
                && await At(db, text, name).ExecuteDeleteAsync(cancellationToken) > 0, cancellationToken);
    }

    // False: the namespace has no such robot.
    private static async Task<bool> LockAsync(
        RegistryDbContext db, string home, string robot, Action<AccountRow>? expect, CancellationToken cancellationToken)
    {
        var rows = await db.Accounts.FromSql(
            $"""
             SELECT a.* FROM accounts a JOIN namespaces n ON n.id = a.namespace_id WHERE n.name = {home} AND a.name = {robot} FOR UPDATE OF a
             """).AsNoTracking().ToListAsync(cancellationToken);
        if (expect is not null) rows.ForEach(expect);
        return rows.Count > 0;
    }

    private static IQueryable<AccountRow> At(RegistryDbContext db, string home, string robot) =>
        db.Accounts.Where(row => row.Name == robot && db.Namespaces.Any(ns => ns.Id == row.NamespaceId && ns.Name == home));
}
