using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Removal;

public sealed partial class ContentRestore
{
    /// <summary>A manifest that came back: what was hidden of all it needs, and since when it was itself.</summary>
    private sealed record Tree(DateTime DeletedAt, List<string> Manifests, List<string> Links);

    /// <summary>
    /// Locks the manifest and all it needs, in the order of all transactions, and makes it live. Null where it is not there,
    /// not hidden, or hidden for longer than the grace.
    /// </summary>
    private async Task<Tree?> UnhideManifestAsync(RegistryDbContext db, long repository, string root, CancellationToken cancellationToken)
    {
        // What a manifest names never changes while it is hidden, so one more look after the locks tells whether they are enough.
        string[] locked;
        var needed = await NeededAsync(db, repository, root, cancellationToken);
        do
        {
            locked = await db.Database.SqlQuery<string>(
                $"""
                 SELECT digest AS "Value" FROM manifests WHERE repository_id = {repository} AND digest = ANY ({needed}) ORDER BY digest FOR UPDATE
                 """).ToArrayAsync(cancellationToken);
            if (!locked.Contains(root)) return null;
            needed = await NeededAsync(db, repository, root, cancellationToken);
        }
        while (needed.Except(locked, StringComparer.Ordinal).Any());

        Failpoint.Hit("restore-manifests-locked");
        var since = await db.Database.SqlQuery<DateTime>(
            $"""
             SELECT deleted_at AS "Value" FROM manifests
             WHERE repository_id = {repository} AND digest = {root} AND deleted_at > now() - {Grace}
             """).ToListAsync(cancellationToken);
        if (since.Count == 0) return null;

        // NO KEY UPDATE keeps removals and reviews out, and lets a push of the same manifest pass, which has its links first.
        await db.Database.ExecuteSqlAsync(
            $"""
             SELECT FROM blob_links WHERE repository_id = {repository} AND digest IN (
                 SELECT blob_digest FROM manifest_references WHERE repository_id = {repository} AND manifest_digest = ANY ({locked}))
             ORDER BY digest FOR NO KEY UPDATE
             """, cancellationToken);
        Failpoint.Hit("restore-locked");
        var links = await db.Database.SqlQuery<string>(
            $"""
             UPDATE blob_links SET deleted_at = NULL, touched_at = now()
             WHERE repository_id = {repository} AND deleted_at IS NOT NULL AND digest IN (
                 SELECT blob_digest FROM manifest_references WHERE repository_id = {repository} AND manifest_digest = ANY ({locked}))
             RETURNING digest AS "Value"
             """).ToListAsync(cancellationToken);
        Failpoint.Hit("restore-links-written");
        var manifests = await db.Database.SqlQuery<string>(
            $"""
             UPDATE manifests SET deleted_at = NULL, suspect_since = NULL, touched_at = now()
             WHERE repository_id = {repository} AND digest = ANY ({locked}) AND deleted_at IS NOT NULL RETURNING digest AS "Value"
             """).ToListAsync(cancellationToken);
        Failpoint.Hit("restore-manifests-written");
        return new Tree(since[0], manifests, links);
    }

    /// <summary>The manifest and, where it is an index, those below it. The work of one index's children; a few levels deep.</summary>
    private static Task<string[]> NeededAsync(RegistryDbContext db, long repository, string root, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<string>(
            $"""
             WITH RECURSIVE needed (digest) AS (
                 SELECT {root}::text COLLATE "C"
                 UNION SELECT r.child_digest FROM needed n JOIN manifest_references r
                     ON r.repository_id = {repository} AND r.manifest_digest = n.digest AND r.child_digest IS NOT NULL)
             SELECT digest AS "Value" FROM needed
             """).ToArrayAsync(cancellationToken);

    private static async Task<bool> IsLiveAsync(RegistryDbContext db, long repository, string digest, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<int>(
            $"""
             SELECT 1 AS "Value" FROM manifests WHERE repository_id = {repository} AND digest = {digest} AND deleted_at IS NULL FOR SHARE
             """).ToListAsync(cancellationToken)).Count > 0;
}
