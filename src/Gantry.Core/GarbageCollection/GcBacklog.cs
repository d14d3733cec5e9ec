using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.GarbageCollection;

/// <summary>What waits for a review or for its time. Each number stops at <see cref="GcBacklog.Most"/> + 1: then there are more.</summary>
/// <param name="Manifests">Hidden ones, whose grace may still run.</param>
/// <param name="Links">That nothing may need any more; those of fresh pushes among them.</param>
/// <param name="Uploads">Unfinished ones, running or resting.</param>
/// <param name="Locations">Whose bytes are to be deleted.</param>
public sealed record GcWaiting(int Manifests, int Links, int Blobs, int Uploads, int Locations);

/// <summary>Counts what garbage collection has before it, by the partial indexes that it works by.</summary>
public sealed class GcBacklog(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>Nobody needs to know it more exactly, and a page does not wait for it.</summary>
    public const int Most = 10_000;

    public async Task<GcWaiting> CountAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await db.Database.SqlQuery<GcWaiting>(
            $"""
             SELECT (SELECT count(*)::int FROM (SELECT FROM manifests WHERE suspect_since IS NOT NULL LIMIT {Most + 1}) m) AS "Manifests",
                    (SELECT count(*)::int FROM (SELECT FROM blob_links WHERE suspect_since IS NOT NULL LIMIT {Most + 1}) l) AS "Links",
                    (SELECT count(*)::int FROM (SELECT FROM blobs WHERE suspect_since IS NOT NULL LIMIT {Most + 1}) b) AS "Blobs",
                    (SELECT count(*)::int FROM (SELECT FROM upload_sessions LIMIT {Most + 1}) u) AS "Uploads",
                    (SELECT count(*)::int FROM (SELECT FROM doomed_locations LIMIT {Most + 1}) d) AS "Locations"
             """).ToListAsync(cancellationToken)).Single();
    }
}
