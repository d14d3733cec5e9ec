using Gantry.Core.Browse;
using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.GarbageCollection;

/// <summary>Removes links that no manifest names and nobody asked about for a grace, and makes their blobs suspect.</summary>
public sealed class LinkReview(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    /// <summary>Looks at up to so many suspects, in one transaction.</summary>
    public Task<Reviewed> ReviewAsync(int most, CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        var grace = options.Value.Grace;
        var suspects = await db.Database.SqlQuery<Claimed>(
            $"""
             SELECT repository_id AS "Repository", digest AS "Digest" FROM blob_links WHERE suspect_since <= now() - {grace}
             ORDER BY suspect_since LIMIT {most} FOR UPDATE SKIP LOCKED
             """).ToListAsync(cancellationToken);
        if (suspects.Count == 0) return default;

        Failpoint.Hit("review-links-locked");
        var (repositories, digests) = suspects.Columns();
        var released = await db.Database.ExecuteSqlAsync(
            $"""
             WITH asked AS (
                 SELECT l.repository_id, l.digest, greatest(l.touched_at, l.deleted_at) AS since, EXISTS (
                     SELECT FROM manifest_references r WHERE r.repository_id = l.repository_id AND r.blob_digest = l.digest) AS held
                 FROM unnest({repositories}, {digests}) s (repository_id, digest)
                     JOIN blob_links l ON l.repository_id = s.repository_id AND l.digest = s.digest)
             UPDATE blob_links l SET suspect_since = CASE WHEN held THEN NULL ELSE since END
             FROM asked a WHERE l.repository_id = a.repository_id AND l.digest = a.digest AND (held OR since > now() - {grace})
             """, cancellationToken);
        Failpoint.Hit("review-links-released");
        var removed = released == suspects.Count ? 0 : await RemoveAsync(db, repositories, digests, cancellationToken);
        return new Reviewed(suspects.Count, released + removed, removed);
    }, cancellationToken);

    /// <summary>
    /// Blobs before their links, as a close has them (the blob's row, then its link): where one is just being closed the
    /// link waits for a later run, and neither waits for the other.
    /// </summary>
    private async Task<int> RemoveAsync(RegistryDbContext db, long[] repositories, string[] digests, CancellationToken cancellationToken)
    {
        var grace = options.Value.Grace;
        var blobs = await db.Database.SqlQuery<string>(
            $"""
             SELECT digest AS "Value" FROM blobs WHERE digest IN (
                 SELECT l.digest FROM unnest({repositories}, {digests}) s (repository_id, digest)
                     JOIN blob_links l ON l.repository_id = s.repository_id AND l.digest = s.digest
                 WHERE greatest(l.touched_at, l.deleted_at) <= now() - {grace} AND NOT EXISTS (
                     SELECT FROM manifest_references r WHERE r.repository_id = l.repository_id AND r.blob_digest = l.digest))
             ORDER BY digest FOR NO KEY UPDATE SKIP LOCKED
             """).ToArrayAsync(cancellationToken);
        Failpoint.Hit("review-links-blobs-locked");
        var removed = await db.Database.SqlQuery<long>(
            $"""
             DELETE FROM blob_links l USING unnest({repositories}, {digests}) s (repository_id, digest)
             WHERE l.repository_id = s.repository_id AND l.digest = s.digest AND l.digest = ANY ({blobs})
               AND greatest(l.touched_at, l.deleted_at) <= now() - {grace} AND NOT EXISTS (
                   SELECT FROM manifest_references r WHERE r.repository_id = l.repository_id AND r.blob_digest = l.digest)
             RETURNING l.repository_id AS "Value"
             """).ToListAsync(cancellationToken);
        Failpoint.Hit("review-links-removed");
        await db.Database.ExecuteSqlAsync($"UPDATE blobs SET suspect_since = now() WHERE digest = ANY ({blobs})", cancellationToken);
        Failpoint.Hit("review-links-handed-on");
        if (removed.Count > 0) await db.MarkStaleAsync(removed, blobs, cancellationToken);
        return removed.Count;
    }
}
