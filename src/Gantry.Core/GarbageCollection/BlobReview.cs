using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.GarbageCollection;

/// <summary>Removes blobs that have no link; their bytes follow <see cref="GcOptions.ByteDelay"/> later.</summary>
public sealed class BlobReview(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    /// <summary>Looks at up to so many suspects, in one transaction.</summary>
    public Task<Reviewed> ReviewAsync(int most, CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        var delay = options.Value.ByteDelay;
        var suspects = await db.Database.SqlQuery<string>(
            $"""
             SELECT digest AS "Value" FROM blobs WHERE suspect_since IS NOT NULL
             ORDER BY suspect_since LIMIT {most} FOR UPDATE SKIP LOCKED
             """).ToArrayAsync(cancellationToken);
        if (suspects.Length == 0) return default;

        Failpoint.Hit("review-blobs-locked");
        // The row and its bytes' new owner in one statement: neither is ever without the other.
        var gone = (await db.Database.SqlQuery<Removed>(
            $"""
             WITH gone AS (
                 DELETE FROM blobs b WHERE digest = ANY ({suspects}) AND NOT EXISTS (SELECT FROM blob_links l WHERE l.digest = b.digest)
                 RETURNING location, size),
             doomed AS (
                 INSERT INTO doomed_locations (location, delete_after) SELECT location, now() + {delay} FROM gone
                 ON CONFLICT (location) DO NOTHING)
             SELECT count(*)::int AS "Count", coalesce(sum(size), 0)::bigint AS "Bytes" FROM gone
             """).ToListAsync(cancellationToken)).Single();
        Failpoint.Hit("review-blobs-removed");
        if (gone.Count < suspects.Length)
            await db.Database.ExecuteSqlAsync($"UPDATE blobs SET suspect_since = NULL WHERE digest = ANY ({suspects})", cancellationToken);
        Failpoint.Hit("review-blobs-released");
        return new Reviewed(suspects.Length, suspects.Length, gone.Count, gone.Bytes);
    }, cancellationToken);

    private sealed record Removed(int Count, long Bytes);
}
