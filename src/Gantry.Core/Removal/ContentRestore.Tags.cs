using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Removal;

public sealed partial class ContentRestore
{
    /// <summary>The tags that went with the manifest: their history says "gone" at the very time at which it was hidden.</summary>
    private static async Task<List<string>> RestoreItsTagsAsync(
        RegistryDbContext db, long repository, Digest digest, DateTime deletedAt, Actor actor, CancellationToken cancellationToken)
    {
        var text = digest.ToString();
        var names = await db.Database.SqlQuery<string>(
            $"""
             SELECT DISTINCT h.name AS "Value" FROM tag_history h CROSS JOIN LATERAL (
                 SELECT manifest_digest, at FROM tag_history n
                 WHERE n.repository_id = h.repository_id AND n.name = h.name AND n.id > h.id ORDER BY n.id LIMIT 1) next
             WHERE h.repository_id = {repository} AND h.manifest_digest = {text} AND next.manifest_digest IS NULL AND next.at = {deletedAt}
             """).ToListAsync(cancellationToken);
        return await InsertTagsAsync(db, repository, names, text, actor, cancellationToken);
    }

    /// <summary>Those of the tags that do not exist; a push of one that is under way is waited for, and wins.</summary>
    private static async Task<List<string>> InsertTagsAsync(
        RegistryDbContext db, long repository, List<string> names, string digest, Actor actor, CancellationToken cancellationToken)
    {
        if (names.Count == 0) return [];
        var restored = await db.Database.SqlQuery<string>(
            $"""
             WITH restored AS (
                 INSERT INTO tags (repository_id, name, manifest_digest)
                 SELECT {repository}, name, {digest} FROM unnest({names}) name ORDER BY name COLLATE "C"
                 ON CONFLICT (repository_id, name) DO NOTHING RETURNING name),
             kept AS (
                 INSERT INTO tag_history (repository_id, name, manifest_digest, account)
                 SELECT {repository}, name, {digest}, {actor.Account} FROM restored)
             SELECT name AS "Value" FROM restored
             """).ToListAsync(cancellationToken);
        Failpoint.Hit("restore-tags-written");
        restored.Sort(StringComparer.Ordinal);
        return restored;
    }

    /// <summary>Where the tag pointed before its last entry, where that is a removal within the grace.</summary>
    private async Task<string?> LastPlaceAsync(RegistryDbContext db, long repository, string name, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<string?>(
            $"""
             SELECT before.manifest_digest AS "Value" FROM (
                 SELECT id, manifest_digest, at FROM tag_history WHERE repository_id = {repository} AND name = {name} ORDER BY id DESC LIMIT 1) last
             CROSS JOIN LATERAL (
                 SELECT manifest_digest FROM tag_history
                 WHERE repository_id = {repository} AND name = {name} AND id < last.id ORDER BY id DESC LIMIT 1) before
             WHERE last.manifest_digest IS NULL AND last.at > now() - {Grace}
             """).ToListAsync(cancellationToken)).SingleOrDefault();
}
