using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

internal static class StaleMarking
{
    /// <summary>
    /// Has repositories counted again from which a review took rows: the last thing in its transaction, for the order of the locks. Those
    /// that have one of the digests alone by now are counted too: it has become their own.
    /// </summary>
    /// <param name="digests">Of the links that went.</param>
    public static Task MarkStaleAsync(this RegistryDbContext db, IEnumerable<long> repositories, string[] digests, CancellationToken cancellationToken)
    {
        var ids = repositories.Distinct().ToArray();
        return db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO repository_statistics (repository_id)
             SELECT id FROM (
                 SELECT unnest({ids}) AS id
                 UNION
                 SELECT alone.id FROM unnest({digests}) d (digest) CROSS JOIN LATERAL (
                     SELECT min(l.repository_id) AS id FROM (SELECT repository_id FROM blob_links WHERE digest = d.digest LIMIT 2) l
                     HAVING count(*) = 1) alone) changed
             ORDER BY id
             ON CONFLICT (repository_id) DO UPDATE SET stale_since = clock_timestamp()
             """, cancellationToken);
    }
}

/// <summary>
/// Finds the links that came without an event, by an upload or a mount that no push of a manifest followed: new links are suspects, and
/// suspects have an index by time. A push writes nothing for it.
/// </summary>
public sealed class NewLinks(IDbContextFactory<RegistryDbContext> contexts)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    /// <summary>A link has the time at which its transaction began, and is seen when that ends: so far back is looked again.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(30);

    /// <summary>Has their repositories counted again, where that is due and no other node does it.</summary>
    public Task MarkAsync(CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO work_cursors (name, position) VALUES ('links', extract(epoch FROM now())::text) ON CONFLICT DO NOTHING", cancellationToken);
        var since = await db.Database.SqlQuery<DateTimeOffset>(
            $"""
             SELECT to_timestamp(position::float8) - {Late} AS "Value" FROM work_cursors
             WHERE name = 'links' AND due_at <= now() FOR UPDATE SKIP LOCKED
             """).ToListAsync(cancellationToken);
        if (since.Count == 0) return;

        // What was counted well after the link came has counted it. A blob that a second repository has now is nobody's own any more.
        await db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO repository_statistics (repository_id)
             SELECT changed.id FROM (
                 SELECT id, max(since) AS since FROM (
                     SELECT repository_id AS id, suspect_since AS since FROM blob_links WHERE suspect_since > {since[0]}
                     UNION ALL
                     SELECT shared.id, d.since FROM (
                         SELECT digest, max(suspect_since) AS since FROM blob_links WHERE suspect_since > {since[0]} GROUP BY digest) d
                     CROSS JOIN LATERAL (
                         SELECT unnest(array_agg(l.repository_id)) AS id FROM (SELECT repository_id FROM blob_links WHERE digest = d.digest LIMIT 3) l
                         HAVING count(*) = 2) shared) links
                 GROUP BY id) changed
             LEFT JOIN repository_statistics s ON s.repository_id = changed.id
             WHERE s.counted_at IS NULL OR s.counted_at < changed.since + {Late}
             ORDER BY changed.id
             ON CONFLICT (repository_id) DO UPDATE SET stale_since = clock_timestamp()
             """, cancellationToken);
        await db.Database.ExecuteSqlAsync(
            $"UPDATE work_cursors SET position = extract(epoch FROM now())::text, due_at = now() + {Every} WHERE name = 'links'", cancellationToken);
    }, cancellationToken);
}
