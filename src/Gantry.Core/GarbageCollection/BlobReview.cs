using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Removes blobs that have no link; their bytes follow <see cref="GcOptions.ByteDelay"/> later. A layer's listing may have thousands of pages: they go before its blob,
/// so that no statement takes as long as all of them together, with the blobs locked.
/// </summary>
public sealed class BlobReview(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    /// <summary>Looks at up to so many suspects, in one transaction, or removes so many pages of theirs.</summary>
    public async Task<Reviewed> ReviewAsync(int most, CancellationToken cancellationToken)
    {
        var pages = await RemovePagesAsync(most, cancellationToken);
        var removed = new Reviewed(pages, pages, 0);
        return pages == most ? removed : removed + await RemoveAsync(most, cancellationToken);
    }

    /// <summary>Their listings wait again, for those that get a link after all; without one they are not read.</summary>
    private async Task<int> RemovePagesAsync(int most, CancellationToken cancellationToken)
    {
        await using var look = await contexts.CreateDbContextAsync(cancellationToken);
        var listed = await look.Database.SqlQuery<string>(
            $"""
             SELECT b.digest AS "Value" FROM (SELECT digest FROM blobs WHERE suspect_since IS NOT NULL ORDER BY suspect_since LIMIT {most}) b
             WHERE EXISTS (SELECT FROM layer_pages p WHERE p.digest = b.digest)
             """).ToArrayAsync(cancellationToken);
        return listed.Length == 0 ? 0 : await contexts.InTransactionAsync(async db =>
        {
            var listings = await db.Database.SqlQuery<string>(
                $"""
                 UPDATE layer_listings s SET state = 'waiting', node = NULL, attempts = 0
                 WHERE digest IN (SELECT digest FROM layer_listings WHERE digest = ANY ({listed}) FOR UPDATE SKIP LOCKED)
                     AND NOT EXISTS (SELECT FROM blob_links l WHERE l.digest = s.digest)
                 RETURNING digest AS "Value"
                 """).ToArrayAsync(cancellationToken);
            return await db.Database.ExecuteSqlAsync(
                $"DELETE FROM layer_pages WHERE ctid = ANY (ARRAY(SELECT ctid FROM layer_pages WHERE digest = ANY ({listings}) LIMIT {most}))", cancellationToken);
        }, cancellationToken);
    }

    private Task<Reviewed> RemoveAsync(int most, CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        var delay = options.Value.ByteDelay;
        var suspects = await db.Database.SqlQuery<string>(
            $"""
             SELECT digest AS "Value" FROM blobs WHERE suspect_since IS NOT NULL
             ORDER BY suspect_since LIMIT {most} FOR UPDATE SKIP LOCKED
             """).ToArrayAsync(cancellationToken);
        if (suspects.Length == 0) return default;

        Failpoint.Hit("review-blobs-locked");
        // A listing that is just being written is not waited for: its blob goes later.
        var busy = await db.Database.SqlQuery<string>(
            $"""
             WITH locked AS MATERIALIZED (SELECT digest FROM layer_listings WHERE digest = ANY ({suspects}) FOR UPDATE SKIP LOCKED)
             SELECT digest AS "Value" FROM layer_listings WHERE digest = ANY ({suspects}) AND digest NOT IN (SELECT digest FROM locked)
             """).ToArrayAsync(cancellationToken);
        // The row and its bytes' new owner in one statement: neither is ever without the other.
        var gone = (await db.Database.SqlQuery<Removed>(
            $"""
             WITH gone AS (
                 DELETE FROM blobs b WHERE digest = ANY ({suspects}) AND digest <> ALL ({busy})
                     AND NOT EXISTS (SELECT FROM blob_links l WHERE l.digest = b.digest) AND NOT EXISTS (SELECT FROM layer_pages p WHERE p.digest = b.digest)
                 RETURNING location, size),
             doomed AS (
                 INSERT INTO doomed_locations (location, delete_after) SELECT location, now() + {delay} FROM gone
                 ON CONFLICT (location) DO NOTHING)
             SELECT count(*)::int AS "Count", coalesce(sum(size), 0)::bigint AS "Bytes" FROM gone
             """).ToListAsync(cancellationToken)).Single();
        Failpoint.Hit("review-blobs-removed");
        var released = gone.Count == suspects.Length ? 0 : await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE blobs b SET suspect_since = NULL
             WHERE digest = ANY ({suspects}) AND EXISTS (SELECT FROM blob_links l WHERE l.digest = b.digest)
             """, cancellationToken);
        Failpoint.Hit("review-blobs-released");
        return new Reviewed(suspects.Length, gone.Count + released, gone.Count, gone.Bytes);
    }, cancellationToken);

    private sealed record Removed(int Count, long Bytes);
}
