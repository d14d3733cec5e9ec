using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>The bytes of a repository, and what they are in.</summary>
/// <param name="Size">All that it links, and its manifests; what waits for its grace among them.</param>
/// <param name="Own">The part that no other repository links.</param>
/// <param name="Reclaimable">
/// The part that nothing live needs, here or elsewhere: hidden manifests, and blobs that no live manifest of any repository names. It
/// goes when its grace is over, unless a push or a restore comes first.
/// </param>
/// <param name="Manifests">Live ones, indexes among them.</param>
public sealed record RepositoryBytes(long Size, long Own, long Reclaimable, long Manifests, long Tags)
{
    /// <summary>The part that other repositories link too.</summary>
    public long Shared => Size - Own;
}

/// <summary>
/// Counts a repository, a page of its rows a statement: the cost is by its size, whatever else the store holds, and no statement is long.
/// LATERAL with LIMIT asks each row's index, where a planner would rather read the whole of another table.
/// </summary>
internal static class RepositoryMeasure
{
    private const int Page = 1000;

    /// <param name="betweenPagesAsync">Called every now and then.</param>
    public static async Task<RepositoryBytes> MeasureAsync(
        this RegistryDbContext db, long repository, Func<Task> betweenPagesAsync, CancellationToken cancellationToken)
    {
        var sum = new RepositoryBytes(0, 0, 0, 0, 0);
        var last = "";
        for (LinkPage page; (page = await LinksAsync(db, repository, last, cancellationToken)).Rows > 0; last = page.Last!)
        {
            sum = sum with { Size = sum.Size + page.Size, Own = sum.Own + page.Own, Reclaimable = sum.Reclaimable + page.Reclaimable };
            await betweenPagesAsync();
        }

        last = "";
        for (ManifestPage page; (page = await ManifestsAsync(db, repository, last, cancellationToken)).Rows > 0; last = page.Last!)
        {
            sum = sum with
            {
                Size = sum.Size + page.Size, Own = sum.Own + page.Size, Reclaimable = sum.Reclaimable + page.Hidden, Manifests = sum.Manifests + page.Live,
            };
            await betweenPagesAsync();
        }

        last = "";
        for (TagPage page; (page = await TagsAsync(db, repository, last, cancellationToken)).Rows > 0; last = page.Last!)
        {
            sum = sum with { Tags = sum.Tags + page.Rows };
            await betweenPagesAsync();
        }

        return sum;
    }

    private static async Task<LinkPage> LinksAsync(RegistryDbContext db, long repository, string last, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<LinkPage>(
            $"""
             SELECT max(p.digest) AS "Last", count(*)::int AS "Rows", coalesce(sum(b.size), 0)::bigint AS "Size",
                    coalesce(sum(b.size) FILTER (WHERE other.is_there IS NULL), 0)::bigint AS "Own",
                    coalesce(sum(b.size) FILTER (WHERE here.is_needed IS NULL AND elsewhere.is_needed IS NULL), 0)::bigint AS "Reclaimable"
             FROM (SELECT digest FROM blob_links WHERE repository_id = {repository} AND digest > {last} ORDER BY digest LIMIT {Page}) p
             CROSS JOIN LATERAL (SELECT size FROM blobs WHERE digest = p.digest LIMIT 1) b
             LEFT JOIN LATERAL (
                 SELECT true AS is_there FROM blob_links WHERE digest = p.digest AND repository_id <> {repository} LIMIT 1) other ON true
             LEFT JOIN LATERAL (
                 SELECT true AS is_needed FROM manifest_references r
                     JOIN manifests m ON m.repository_id = r.repository_id AND m.digest = r.manifest_digest
                 WHERE r.repository_id = {repository} AND r.blob_digest = p.digest AND m.deleted_at IS NULL LIMIT 1) here ON true
             LEFT JOIN LATERAL (
                 SELECT true AS is_needed FROM blob_links l
                     JOIN manifest_references r ON r.repository_id = l.repository_id AND r.blob_digest = l.digest
                     JOIN manifests m ON m.repository_id = r.repository_id AND m.digest = r.manifest_digest
                 WHERE here.is_needed IS NULL AND l.digest = p.digest AND l.repository_id <> {repository} AND m.deleted_at IS NULL LIMIT 1) elsewhere ON true
             """).ToListAsync(cancellationToken)).Single();

    private static async Task<ManifestPage> ManifestsAsync(RegistryDbContext db, long repository, string last, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<ManifestPage>(
            $"""
             SELECT max(p.digest) AS "Last", count(*)::int AS "Rows", count(*) FILTER (WHERE p.deleted_at IS NULL)::int AS "Live",
                    coalesce(sum(p.bytes), 0)::bigint AS "Size", coalesce(sum(p.bytes) FILTER (WHERE p.deleted_at IS NOT NULL), 0)::bigint AS "Hidden"
             FROM (SELECT digest FROM manifests WHERE repository_id = {repository} AND digest > {last} ORDER BY digest LIMIT {Page}) d
             CROSS JOIN LATERAL (
                 SELECT digest, deleted_at, octet_length(payload) AS bytes FROM manifests
                 WHERE repository_id = {repository} AND digest = d.digest LIMIT 1) p
             """).ToListAsync(cancellationToken)).Single();

    private static async Task<TagPage> TagsAsync(RegistryDbContext db, long repository, string last, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<TagPage>(
            $"""
             SELECT max(p.name) AS "Last", count(*)::int AS "Rows"
             FROM (SELECT name FROM tags WHERE repository_id = {repository} AND name > {last} ORDER BY name LIMIT {Page}) p
             """).ToListAsync(cancellationToken)).Single();

    private sealed record LinkPage(string? Last, int Rows, long Size, long Own, long Reclaimable);

    private sealed record ManifestPage(string? Last, int Rows, int Live, long Size, long Hidden);

    private sealed record TagPage(string? Last, int Rows);
}
