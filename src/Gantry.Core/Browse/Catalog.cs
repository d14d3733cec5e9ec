using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>The repositories that hold something and that the caller may read, in lexical order, a page at a time.</summary>
public sealed class Catalog(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>The largest page; bounds the memory of a listing to this many names of 255 characters.</summary>
    public const int MaxPage = 1000;

    /// <returns>At most <paramref name="limit"/> names after <paramref name="last"/>.</returns>
    public async Task<IReadOnlyList<string>> PageAsync(Caller caller, string? last, int limit,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var (reach, decider) = await caller.ReachAsync(cancellationToken);
        var (all, open, account) = (reach.All, reach.Public, reach.AccountId);
        var page = new List<string>(limit);
        var after = last ?? "";
        while (page.Count < limit)
        {
            // The namespaces first: others' repositories are not even looked at. Rules and limits then decide on each.
            var names = await db.Database.SqlQuery<string>(
                $"""
                 SELECT r.name AS "Value" FROM repositories r
                 WHERE r.name > {after}
                   AND EXISTS (SELECT FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL)
                   AND ({all} OR r.namespace_id IN (
                       SELECT n.id FROM namespaces n WHERE {open} AND n.visibility = 'public'
                       UNION ALL
                       SELECT m.namespace_id FROM memberships m WHERE m.account_id = {account} OR m.group_name IN
                           (SELECT g.name FROM account_groups g WHERE g.account_id = {account})))
                 ORDER BY r.name LIMIT {limit}
                 """).ToListAsync(cancellationToken);
            foreach (var name in names)
            {
                if (page.Count == limit) break;
                if (await decider.MayAsync(RepositoryActions.Pull, RepositoryName.Parse(name), cancellationToken))
                    page.Add(name);
            }

            if (names.Count < limit) break;
            after = names[^1];
        }

        return page;
    }
}
