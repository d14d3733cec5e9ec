using Gantry.Core.Browse;
using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Removes hidden manifests whose grace is over, and makes what they alone may have needed suspect. The suspects are locked
/// in a statement of their own; the later ones see whatever committed before the locks were had.
/// </summary>
public sealed class ManifestReview(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    /// <summary>Looks at up to so many suspects, in one transaction.</summary>
    public Task<Reviewed> ReviewAsync(int most, CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        var grace = options.Value.Grace;
        var suspects = await db.Database.SqlQuery<Claimed>(
            $"""
             SELECT repository_id AS "Repository", digest AS "Digest" FROM manifests WHERE suspect_since <= now() - {grace}
             ORDER BY suspect_since LIMIT {most} FOR UPDATE SKIP LOCKED
             """).ToListAsync(cancellationToken);
        if (suspects.Count == 0) return default;

        Failpoint.Hit("review-manifests-locked");
        var (repositories, digests) = suspects.Columns();
        var going = await db.Database.SqlQuery<Claimed>(
            $"""
             SELECT m.repository_id AS "Repository", m.digest AS "Digest" FROM unnest({repositories}, {digests}) s (repository_id, digest)
                 JOIN manifests m ON m.repository_id = s.repository_id AND m.digest = s.digest
             WHERE m.deleted_at <= now() - {grace}
               AND NOT EXISTS (SELECT FROM manifest_references r WHERE r.repository_id = m.repository_id AND r.child_digest = m.digest)
               AND NOT EXISTS (SELECT FROM tags t WHERE t.repository_id = m.repository_id AND t.manifest_digest = m.digest)
             """).ToListAsync(cancellationToken);
        await ReleaseAsync(db, suspects.Except(going).ToList().Columns(), grace, cancellationToken);
        Failpoint.Hit("review-manifests-released");
        if (going.Count > 0) await RemoveAsync(db, going.Columns(), cancellationToken);
        return new Reviewed(suspects.Count, suspects.Count, going.Count);
    }, cancellationToken);

    /// <summary>Live again, or held: not suspect until somebody takes that away. Hidden anew: suspect since then.</summary>
    private static Task ReleaseAsync(
        RegistryDbContext db, (long[] Repositories, string[] Digests) kept, TimeSpan grace, CancellationToken cancellationToken) =>
        kept.Digests.Length == 0 ? Task.CompletedTask : db.Database.ExecuteSqlAsync(
            $"""
             UPDATE manifests m SET suspect_since = CASE WHEN m.deleted_at > now() - {grace} THEN m.deleted_at END
             FROM unnest({kept.Repositories}, {kept.Digests}) s (repository_id, digest)
             WHERE m.repository_id = s.repository_id AND m.digest = s.digest
             """, cancellationToken);

    /// <summary>
    /// Their links and children first, while their references still say which those are. Each is locked: a review that has it
    /// now, and still sees the reference, ends before it becomes suspect. What is suspect already is written all the same,
    /// because that review may be about to release it. Nobody's grace begins anew: those of what it held went by beside its own.
    /// </summary>
    private static async Task RemoveAsync(RegistryDbContext db, (long[] Repositories, string[] Digests) going, CancellationToken cancellationToken)
    {
        await db.Database.ExecuteSqlAsync(
            $"""
             WITH held AS (
                 SELECT repository_id, digest FROM manifests WHERE deleted_at IS NOT NULL AND (repository_id, digest) IN (
                     SELECT r.repository_id, r.child_digest FROM unnest({going.Repositories}, {going.Digests}) g (repository_id, digest)
                         JOIN manifest_references r ON r.repository_id = g.repository_id AND r.manifest_digest = g.digest)
                 ORDER BY repository_id, digest FOR NO KEY UPDATE)
             UPDATE manifests m SET suspect_since = m.deleted_at FROM held
             WHERE m.repository_id = held.repository_id AND m.digest = held.digest AND m.deleted_at IS NOT NULL
             """, cancellationToken);
        await db.Database.ExecuteSqlAsync(
            $"""
             WITH held AS (
                 SELECT repository_id, digest FROM blob_links WHERE (repository_id, digest) IN (
                     SELECT r.repository_id, r.blob_digest FROM unnest({going.Repositories}, {going.Digests}) g (repository_id, digest)
                         JOIN manifest_references r ON r.repository_id = g.repository_id AND r.manifest_digest = g.digest)
                 ORDER BY repository_id, digest FOR NO KEY UPDATE)
             UPDATE blob_links l SET suspect_since = greatest(l.touched_at, l.deleted_at) FROM held
             WHERE l.repository_id = held.repository_id AND l.digest = held.digest
             """, cancellationToken);
        Failpoint.Hit("review-manifests-handed-on");
        await db.Database.ExecuteSqlAsync(
            $"""
             DELETE FROM manifests m USING unnest({going.Repositories}, {going.Digests}) g (repository_id, digest)
             WHERE m.repository_id = g.repository_id AND m.digest = g.digest
             """, cancellationToken);
        Failpoint.Hit("review-manifests-removed");
        await db.MarkStaleAsync(going.Repositories, [], cancellationToken);
    }
}
