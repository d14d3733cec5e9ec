using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Push;

/// <summary>A manifest to push.</summary>
/// <param name="Digest">What it is stored under; the payload was checked against it.</param>
/// <param name="Payload">The bytes as sent: what is served later.</param>
/// <param name="Document">Their parsed view.</param>
/// <param name="Tags">Tags to point at it; may be empty.</param>
public sealed record ManifestToPush(
    Digest Digest, byte[] Payload, ManifestDocument Document, IReadOnlyCollection<TagName> Tags);

/// <summary>
/// Stores a manifest: references checked and locked, then manifest, references, tags, tag history and event, all in one
/// transaction.
/// </summary>
public sealed class ManifestPush(
    IDbContextFactory<RegistryDbContext> contexts, NewRepositories repositories, IOptions<PushOptions> options)
{
    private readonly List<TagPattern> _immutable =
        [.. options.Value.ImmutableTags.Select(TagPattern.TryParse).OfType<TagPattern>()];

    /// <exception cref="OciException">
    /// MANIFEST_BLOB_UNKNOWN: something it needs is not in the repository. DENIED (409): a tag is immutable.
    /// </exception>
    public async Task PushAsync(RepositoryName repository, ManifestToPush manifest, Actor actor,
        CancellationToken cancellationToken)
    {
        await contexts.InTransactionAsync(async db =>
        {
            var id = await repositories.GetOrAddAsync(db, repository, actor, cancellationToken);
            var references = await new ReferenceCheck(db, id).LockAsync(manifest.Document, cancellationToken);
            Failpoint.Hit("manifest-references-locked");
            await InsertManifestAsync(db, id, manifest, cancellationToken);
            Failpoint.Hit("manifest-inserted");
            await InsertReferencesAsync(db, id, manifest.Digest, references, cancellationToken);
            Failpoint.Hit("manifest-references-written");
            await MoveTagsAsync(db, id, repository, manifest, actor, cancellationToken);
            Failpoint.Hit("manifest-tags-moved");
            await db.AppendEventAsync(
                new Event(EventKinds.Push)
                {
                    Repository = repository, Digest = manifest.Digest,
                    Tag = manifest.Tags.Count == 0 ? null : string.Join(' ', manifest.Tags),
                }, actor, cancellationToken);
            Failpoint.Hit("manifest-rows-written");
        }, cancellationToken);
        Failpoint.Hit("manifest-committed");
    }

    // What was deleted and is pushed again is new: a removal of the whole repository that is under way leaves it.
    private static Task InsertManifestAsync(RegistryDbContext db, long repository, ManifestToPush manifest,
        CancellationToken cancellationToken)
    {
        var document = manifest.Document;
        var (digest, config, subject) =
            (manifest.Digest.ToString(), document.Config?.Digest.ToString(), document.Subject?.Digest.ToString());
        var annotations = document.Annotations is null ? null : System.Text.Json.JsonSerializer.Serialize(document.Annotations);
        return db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO manifests (repository_id, digest, media_type, artifact_type, config_digest, subject_digest,
                                    annotations, payload)
             VALUES ({repository}, {digest}, {document.MediaType}, {document.ArtifactType}, {config}, {subject},
                     {annotations}::json, {manifest.Payload})
             ON CONFLICT (repository_id, digest) DO UPDATE
                 SET media_type = excluded.media_type, touched_at = now(), deleted_at = NULL, suspect_since = NULL,
                     created_at = CASE WHEN manifests.deleted_at IS NULL THEN manifests.created_at ELSE now() END
             """, cancellationToken);
    }

    // Written anew at each push: a layer that was missing at the first may be there now. What this manifest names no more (a
    // foreign layer that was deleted while it was hidden) is for garbage collection to look at.
    private static Task InsertReferencesAsync(RegistryDbContext db, long repository, Digest manifest, References references,
        CancellationToken cancellationToken)
    {
        var (digest, blobs, children) = (manifest.ToString(), references.Blobs, references.Children);
        return db.Database.ExecuteSqlAsync(
            $"""
             WITH before AS (
                 DELETE FROM manifest_references WHERE repository_id = {repository} AND manifest_digest = {digest}
                 RETURNING blob_digest, child_digest),
             links AS (
                 UPDATE blob_links l SET suspect_since = greatest(l.touched_at, l.deleted_at) FROM before
                 WHERE l.repository_id = {repository} AND l.digest = before.blob_digest AND l.digest <> ALL ({blobs}))
             UPDATE manifests m SET suspect_since = m.deleted_at FROM before
             WHERE m.repository_id = {repository} AND m.digest = before.child_digest AND m.digest <> ALL ({children});
             INSERT INTO manifest_references (repository_id, manifest_digest, blob_digest)
             SELECT {repository}, {digest}, unnest({blobs});
             INSERT INTO manifest_references (repository_id, manifest_digest, child_digest)
             SELECT {repository}, {digest}, unnest({children});
             """, cancellationToken);
    }

    private async Task MoveTagsAsync(RegistryDbContext db, long repositoryId, RepositoryName repository,
        ManifestToPush manifest, Actor actor, CancellationToken cancellationToken)
    {
        if (manifest.Tags.Count == 0) return;

        var digest = manifest.Digest.ToString();
        var tags = manifest.Tags.Select(tag => tag.ToString()).Distinct().Order(StringComparer.Ordinal).ToArray();
        var moved = await db.Database.SqlQuery<MovedTag>(
            $"""
             WITH moved AS (
                 INSERT INTO tags AS t (repository_id, name, manifest_digest)
                 SELECT {repositoryId}, name, {digest} FROM unnest({tags}) name ORDER BY name
                 ON CONFLICT (repository_id, name) DO UPDATE SET manifest_digest = excluded.manifest_digest, updated_at = now()
                     WHERE t.manifest_digest <> excluded.manifest_digest
                 RETURNING name, xmax <> 0 AS existed),
             kept AS (
                 INSERT INTO tag_history (repository_id, name, manifest_digest, account)
                 SELECT {repositoryId}, name, {digest}, {actor.Account} FROM moved)
             SELECT name AS "Name", existed AS "Existed" FROM moved
             """).ToListAsync(cancellationToken);

        // The move is undone with the transaction where a rule forbids it.
        foreach (var tag in moved.Where(tag => tag.Existed))
        {
            if (_immutable.Find(rule => rule.Matches(repository, TagName.Parse(tag.Name))) is { } rule)
                throw new OciException(OciErrorCode.Denied,
                    $"tag {tag.Name} points at another manifest and is immutable by the rule {rule}", status: 409);
        }
    }

    private sealed record MovedTag(string Name, bool Existed);
}
