using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Removal;

/// <summary>What came back.</summary>
/// <param name="Manifests">The manifest and the hidden ones that it needs; none where only a tag or a blob was restored.</param>
/// <param name="Blobs">Links that were hidden.</param>
/// <param name="Tags">Tags that point at it again.</param>
public sealed record Restored(IReadOnlyList<Digest> Manifests, IReadOnlyList<Digest> Blobs, IReadOnlyList<TagName> Tags);

/// <summary>
/// Brings back what a DELETE or a retention rule hid, as it was, within <see cref="GcOptions.Grace"/>. Rows are locked before
/// anything is asked of them, as removals and reviews do: whichever comes first, the other finds what it left.
/// <para>Whatever is restored counts as just asked for, so that neither its grace nor a retention rule ends at once.</para>
/// </summary>
public sealed partial class ContentRestore(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    private TimeSpan Grace => options.Value.Grace;

    /// <summary>
    /// The manifest with all that it needs, and those of the tags its removal took along whose names are free. Null: there is
    /// nothing to restore.
    /// </summary>
    public Task<Restored?> RestoreManifestAsync(RepositoryName repository, Digest digest, Actor actor, CancellationToken cancellationToken) =>
        RestoreAsync(repository, async (db, id) =>
        {
            if (await UnhideManifestAsync(db, id, digest.ToString(), cancellationToken) is not { } tree) return null;

            var tags = await RestoreItsTagsAsync(db, id, digest, tree.DeletedAt, actor, cancellationToken);
            await db.AppendEventAsync(new Event(EventKinds.ManifestRestore)
            {
                Repository = repository, Digest = digest, Tag = tags.Count == 0 ? null : string.Join(' ', tags),
            }, actor, cancellationToken);
            return new Restored(Parse(tree.Manifests), Parse(tree.Links), [.. tags.Select(TagName.Parse)]);
        }, cancellationToken);

    /// <summary>
    /// The tag at the manifest that its last removal took it from; that one first where it is hidden. Null: there is nothing to
    /// restore.
    /// </summary>
    /// <exception cref="OciException">DENIED (409): the tag exists.</exception>
    public Task<Restored?> RestoreTagAsync(RepositoryName repository, TagName tag, Actor actor, CancellationToken cancellationToken) =>
        RestoreAsync(repository, async (db, id) =>
        {
            var name = tag.ToString();
            if (await LastPlaceAsync(db, id, name, cancellationToken) is not { } place) return null;

            // A manifest that is not hidden is held as a push holds it.
            var tree = await UnhideManifestAsync(db, id, place, cancellationToken);
            if (tree is null && !await IsLiveAsync(db, id, place, cancellationToken)) return null;

            var restored = await InsertTagsAsync(db, id, [name], place, actor, cancellationToken);
            if (restored.Count == 0) throw new OciException(OciErrorCode.Denied, $"the tag {tag} exists: it was pushed again", status: 409);

            var digest = Digest.Parse(place);
            if (tree is not null)
                await db.AppendEventAsync(
                    new Event(EventKinds.ManifestRestore) { Repository = repository, Digest = digest }, actor, cancellationToken);
            await db.AppendEventAsync(
                new Event(EventKinds.TagRestore) { Repository = repository, Digest = digest, Tag = name }, actor, cancellationToken);
            return new Restored(Parse(tree?.Manifests ?? []), Parse(tree?.Links ?? []), [tag]);
        }, cancellationToken);

    /// <summary>The repository's right to the blob. Null: there is nothing to restore.</summary>
    public Task<Restored?> RestoreBlobAsync(RepositoryName repository, Digest digest, Actor actor, CancellationToken cancellationToken) =>
        RestoreAsync(repository, async (db, id) =>
        {
            var text = digest.ToString();
            var hidden = await db.Database.SqlQuery<int>(
                $"""
                 SELECT 1 AS "Value" FROM blob_links
                 WHERE repository_id = {id} AND digest = {text} AND deleted_at > now() - {Grace} FOR UPDATE
                 """).ToListAsync(cancellationToken);
            if (hidden.Count == 0) return null;

            Failpoint.Hit("restore-locked");
            await db.Database.ExecuteSqlAsync(
                $"UPDATE blob_links SET deleted_at = NULL, touched_at = now() WHERE repository_id = {id} AND digest = {text}", cancellationToken);
            await db.AppendEventAsync(new Event(EventKinds.BlobRestore) { Repository = repository, Digest = digest }, actor, cancellationToken);
            return new Restored([], [digest], []);
        }, cancellationToken);

    private async Task<Restored?> RestoreAsync(
        RepositoryName repository, Func<RegistryDbContext, long, Task<Restored?>> restore, CancellationToken cancellationToken)
    {
        var restored = await contexts.InTransactionAsync(async db =>
        {
            var found = await db.FindRepositoryAsync(repository, cancellationToken) is { } id ? await restore(db, id) : null;
            Failpoint.Hit("restore-written");
            return found;
        }, cancellationToken);
        Failpoint.Hit("restore-committed");
        return restored;
    }

    private static IReadOnlyList<Digest> Parse(IEnumerable<string> digests) => [.. digests.Select(Digest.Parse)];
}
