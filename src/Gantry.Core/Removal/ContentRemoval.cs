using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Push;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Removal;

/// <summary>Where a tag points.</summary>
/// <param name="Since">When it was made, or moved there.</param>
public sealed record TagPlacement(Digest Digest, DateTimeOffset Since);

/// <summary>
/// Removes tags, manifests and blobs from a repository. A manifest or a blob is hidden at once and kept for a while;
/// its bytes are garbage collection's business. Every removal takes its row FOR UPDATE first, which waits for, and
/// stops, the pushes that rely on it; what needs the row is asked for in a later statement than the lock.
/// </summary>
public sealed class ContentRemoval(IDbContextFactory<RegistryDbContext> contexts, IOptions<PushOptions> push)
{
    private readonly List<TagPattern> _immutable =
        [.. push.Value.ImmutableTags.Select(TagPattern.TryParse).OfType<TagPattern>()];

    /// <summary>Removes the tag alone. False: there was none.</summary>
    /// <param name="repository">Where.</param>
    /// <param name="tag">Which.</param>
    /// <param name="actor">Who.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="expect">Sees where the tag points and since when, while nobody can move it; what it throws stops the removal.</param>
    /// <exception cref="OciException">DENIED (409): the tag is immutable.</exception>
    public async Task<bool> RemoveTagAsync(RepositoryName repository, TagName tag, Actor actor,
        CancellationToken cancellationToken, Action<TagPlacement>? expect = null)
    {
        RefuseImmutable(repository, [tag.ToString()]);
        return await RemoveAsync(async db =>
        {
            if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return false;

            var name = tag.ToString();
            if (expect is not null)
            {
                var places = await db.Database.SqlQuery<Placed>(
                    $"""
                     SELECT manifest_digest AS "Digest", updated_at AS "Since" FROM tags WHERE repository_id = {id} AND name = {name} FOR UPDATE
                     """).ToListAsync(cancellationToken);
                if (places is not [var place]) return false;
                expect(new TagPlacement(Digest.Parse(place.Digest), place.Since));
            }

            var rows = await db.Tags.Where(row => row.RepositoryId == id && row.Name == name)
                .ExecuteDeleteAsync(cancellationToken);
            if (rows == 0) return false;

            await RecordTagsAsync(db, id, [name], actor, cancellationToken);
            await db.AppendEventAsync(
                new Event(EventKinds.TagDelete) { Repository = repository, Tag = name }, actor, cancellationToken);
            return true;
        }, cancellationToken);
    }

    /// <summary>Hides the manifest and removes its tags. False: there was none.</summary>
    /// <exception cref="OciException">DENIED (409): an index holds it, or an immutable tag points at it.</exception>
    public Task<bool> RemoveManifestAsync(RepositoryName repository, Digest digest, Actor actor,
        CancellationToken cancellationToken)
    {
        var text = digest.ToString();
        return HideAsync(
            id => $"""
                SELECT 1 AS "Value" FROM manifests
                WHERE repository_id = {id} AND digest = {text} AND deleted_at IS NULL FOR UPDATE
                """,
            id => $"UPDATE manifests SET deleted_at = now(), suspect_since = now() WHERE repository_id = {id} AND digest = {text}",
            new Event(EventKinds.ManifestDelete) { Repository = repository, Digest = digest }, actor,
            async (db, id) =>
            {
                await RefuseWhileNeededAsync(db.ManifestReferences.Where(row => row.ChildDigest == text), db, id, "index",
                    cancellationToken);
                var tags = await db.Database.SqlQuery<string>(
                    $"""
                     DELETE FROM tags WHERE repository_id = {id} AND manifest_digest = {text} RETURNING name AS "Value"
                     """).ToListAsync(cancellationToken);
                RefuseImmutable(repository, tags);
                await RecordTagsAsync(db, id, tags, actor, cancellationToken);
            }, cancellationToken);
    }

    /// <summary>Hides the repository's link to the blob. False: there was none.</summary>
    /// <exception cref="OciException">DENIED (409): a manifest needs it.</exception>
    public Task<bool> RemoveBlobAsync(RepositoryName repository, Digest digest, Actor actor,
        CancellationToken cancellationToken)
    {
        var text = digest.ToString();
        return HideAsync(
            id => $"""
                SELECT 1 AS "Value" FROM blob_links
                WHERE repository_id = {id} AND digest = {text} AND deleted_at IS NULL FOR UPDATE
                """,
            id => $"UPDATE blob_links SET deleted_at = now(), suspect_since = now() WHERE repository_id = {id} AND digest = {text}",
            new Event(EventKinds.BlobDelete) { Repository = repository, Digest = digest }, actor,
            (db, id) => RefuseWhileNeededAsync(db.ManifestReferences.Where(row => row.BlobDigest == text), db, id, "manifest",
                cancellationToken), cancellationToken);
    }

    // Lock, ask what needs the row (in statements after the lock), hide, record.
    private Task<bool> HideAsync(Func<long, FormattableString> lockRow, Func<long, FormattableString> hideRow, Event what,
        Actor actor, Func<RegistryDbContext, long, Task> askAsync, CancellationToken cancellationToken) =>
        RemoveAsync(async db =>
        {
            if (await db.FindRepositoryAsync(what.Repository!.Value, cancellationToken) is not { } id) return false;
            if ((await db.Database.SqlQuery<int>(lockRow(id)).ToListAsync(cancellationToken)).Count == 0) return false;

            await askAsync(db, id);
            await db.Database.ExecuteSqlAsync(hideRow(id), cancellationToken);
            await db.AppendEventAsync(what, actor, cancellationToken);
            return true;
        }, cancellationToken);

    private async Task<bool> RemoveAsync(Func<RegistryDbContext, Task<bool>> remove, CancellationToken cancellationToken)
    {
        var removed = await contexts.InTransactionAsync(async db =>
        {
            var found = await remove(db);
            Failpoint.Hit("removal-written");
            return found;
        }, cancellationToken);
        Failpoint.Hit("removal-committed");
        return removed;
    }

    private static async Task RefuseWhileNeededAsync(IQueryable<ManifestReferenceRow> references, RegistryDbContext db,
        long repository, string kind, CancellationToken cancellationToken)
    {
        var parent = await (
            from reference in references
            join manifest in db.Manifests on new { reference.RepositoryId, Digest = reference.ManifestDigest }
                equals new { manifest.RepositoryId, manifest.Digest }
            where reference.RepositoryId == repository && manifest.DeletedAt == null
            select manifest.Digest).FirstOrDefaultAsync(cancellationToken);
        if (parent is not null)
            throw new OciException(OciErrorCode.Denied, $"the {kind} {parent} needs it: delete that first", status: 409);
    }

    internal void RefuseImmutable(RepositoryName repository, IEnumerable<string> tags)
    {
        foreach (var tag in tags)
        {
            if (_immutable.Find(rule => rule.Matches(repository, TagName.Parse(tag))) is { } rule)
                throw new OciException(OciErrorCode.Denied, $"tag {tag} is immutable by the rule {rule}", status: 409);
        }
    }

    private sealed record Placed(string Digest, DateTimeOffset Since);

    private static Task RecordTagsAsync(RegistryDbContext db, long repository, List<string> tags, Actor actor,
        CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO tag_history (repository_id, name, account)
             SELECT {repository}, unnest({tags}), {actor.Account}
             """, cancellationToken);
}
