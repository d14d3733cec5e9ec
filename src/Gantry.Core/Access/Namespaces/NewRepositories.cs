using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>
/// Makes a repository at its first push, and its namespace where that is the first push to it; who makes a namespace is
/// its maintainer. Both are decided again in the transaction that makes them: of two who may create the same namespace,
/// the second meets the first one's, and has no role in it. Nor has it where the first was done already, with the same
/// repository: who may create namespaces may have been let in because there was none.
/// </summary>
public sealed class NewRepositories(AccessPolicy policy)
{
    /// <exception cref="OciException">DENIED: the account may not push there any more.</exception>
    internal async Task<long> GetOrAddAsync(
        RegistryDbContext db, RepositoryName name, Actor actor, CancellationToken cancellationToken)
    {
        var (text, account) = (name.ToString(), actor.Account);
        var known = (await db.Database.SqlQuery<Known>(
            $"""
             SELECT id AS "Id", EXISTS (
                 SELECT FROM accounts a WHERE a.name = {account} AND a.creates_namespaces AND NOT a.is_administrator) AS "AskAgain"
             FROM repositories WHERE name = {text}
             """).ToListAsync(cancellationToken)).SingleOrDefault();
        if (known is { AskAgain: false }) return known.Id;

        var id = await GetOrAddNamespaceAsync(db, name, actor, cancellationToken);
        if (known is not null) return known.Id;

        // Waits for a concurrent insert of the same name; its row is visible to the statement after.
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO repositories (name, namespace_id) VALUES ({text}, {id}) ON CONFLICT (name) DO NOTHING",
            cancellationToken);
        return (await db.FindRepositoryAsync(name, cancellationToken))!.Value;
    }

    private async Task<long> GetOrAddNamespaceAsync(
        RegistryDbContext db, RepositoryName repository, Actor actor, CancellationToken cancellationToken)
    {
        var account = actor.Account is null ? null : (await db.Accounts.AsNoTracking()
            .SingleOrDefaultAsync(row => row.Name == actor.Account && row.DisabledAt == null, cancellationToken))?.ToAccount();
        while (true)
        {
            var facts = await db.ReadNamespaceAsync(repository.Namespace, account?.Id, cancellationToken);
            var decision = policy.Decide(account, repository, facts);
            if (!decision.Granted.HasFlag(RepositoryActions.Push)) throw new OciException(OciErrorCode.Denied, decision.Rule);
            if (facts.Id is { } id) return id;

            var made = await db.Database.SqlQuery<long>(
                $"""
                 INSERT INTO namespaces (name) VALUES ({facts.Name}) ON CONFLICT (name) DO NOTHING RETURNING id AS "Value"
                 """).ToListAsync(cancellationToken);
            // None: another push made it while this one waited; the next statement sees it.
            if (made.Count == 0) continue;

            if (account is not null) await db.AddMaintainerAsync(made[0], account.Id, cancellationToken);
            await db.AppendEventAsync(new Event(EventKinds.NamespaceCreate) { Namespace = facts.Name }, actor, cancellationToken);
            await db.RecordChangeAsync(null, facts.Name, cancellationToken);
            return made[0];
        }
    }

    private sealed record Known(long Id, bool AskAgain);
}
