using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>The statements behind <see cref="DeletionPreview"/>.</summary>
internal static class FreedBytes
{
    private const int Page = 1000;

    /// <summary>The bytes of these manifests, and of the blobs that nothing live would need without them.</summary>
    public static async Task<FreedSum> FreedAsync(this RegistryDbContext db, long repository, string[] manifests, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<FreedSum>(
            $"""
             SELECT coalesce(sum(b.size), 0)::bigint + (
                        SELECT coalesce(sum(octet_length(m.payload)), 0) FROM manifests m
                        WHERE m.repository_id = {repository} AND m.digest = ANY ({manifests}) AND m.deleted_at IS NULL)::bigint AS "Bytes",
                    count(b.size)::int AS "Blobs"
             FROM (SELECT DISTINCT r.blob_digest AS digest FROM unnest({manifests}) d (digest)
                       JOIN manifest_references r ON r.repository_id = {repository} AND r.manifest_digest = d.digest WHERE r.blob_digest IS NOT NULL) n
             LEFT JOIN LATERAL (
                 SELECT true AS is_needed FROM manifest_references r JOIN manifests m ON m.repository_id = r.repository_id AND m.digest = r.manifest_digest
                 WHERE r.repository_id = {repository} AND r.blob_digest = n.digest AND m.deleted_at IS NULL AND r.manifest_digest <> ALL ({manifests})
                 LIMIT 1) here ON true
             LEFT JOIN LATERAL (
                 SELECT true AS is_needed FROM blob_links l
                     JOIN manifest_references r ON r.repository_id = l.repository_id AND r.blob_digest = l.digest
                     JOIN manifests m ON m.repository_id = r.repository_id AND m.digest = r.manifest_digest
                 WHERE here.is_needed IS NULL AND l.digest = n.digest AND l.repository_id <> {repository} AND m.deleted_at IS NULL LIMIT 1) elsewhere ON true
             LEFT JOIN LATERAL (
                 SELECT size FROM blobs WHERE here.is_needed IS NULL AND elsewhere.is_needed IS NULL AND digest = n.digest LIMIT 1) b ON true
             """).ToListAsync(cancellationToken)).Single();

    /// <summary>The same for all that the repository holds, a page at a time.</summary>
    public static async Task<RepositorySum> SumAsync(this RegistryDbContext db, long repository, CancellationToken cancellationToken)
    {
        var counted = await db.MeasureAsync(repository, () => Task.CompletedTask, cancellationToken);
        var (blobs, bytes, last) = (0L, 0L, "");
        for (LinkPage page; (page = await LinksAsync(db, repository, last, cancellationToken)).Rows > 0; last = page.Last!)
            (blobs, bytes) = (blobs + page.Blobs, bytes + page.Bytes);
        return new RepositorySum(bytes + await ManifestBytesAsync(db, repository, cancellationToken), counted.Manifests, blobs, counted.Tags);
    }

    private static async Task<LinkPage> LinksAsync(RegistryDbContext db, long repository, string last, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<LinkPage>(
            $"""
             SELECT max(p.digest) AS "Last", count(*)::int AS "Rows", count(b.size) AS "Blobs", coalesce(sum(b.size), 0)::bigint AS "Bytes"
             FROM (SELECT digest FROM blob_links WHERE repository_id = {repository} AND digest > {last} ORDER BY digest LIMIT {Page}) p
             LEFT JOIN LATERAL (
                 SELECT true AS is_needed FROM blob_links l
                     JOIN manifest_references r ON r.repository_id = l.repository_id AND r.blob_digest = l.digest
                     JOIN manifests m ON m.repository_id = r.repository_id AND m.digest = r.manifest_digest
                 WHERE l.digest = p.digest AND l.repository_id <> {repository} AND m.deleted_at IS NULL LIMIT 1) elsewhere ON true
             LEFT JOIN LATERAL (SELECT size FROM blobs WHERE elsewhere.is_needed IS NULL AND digest = p.digest LIMIT 1) b ON true
             """).ToListAsync(cancellationToken)).Single();

    private static async Task<long> ManifestBytesAsync(RegistryDbContext db, long repository, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<long>(
            $"""SELECT coalesce(sum(octet_length(payload)), 0)::bigint AS "Value" FROM manifests WHERE repository_id = {repository}""")
            .ToListAsync(cancellationToken)).Single();

    internal sealed record FreedSum(long Bytes, int Blobs);

    internal sealed record RepositorySum(long Bytes, long Manifests, long Blobs, long Tags);

    private sealed record LinkPage(string? Last, int Rows, long Blobs, long Bytes);
}
