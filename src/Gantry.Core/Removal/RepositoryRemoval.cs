using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Removal;

/// <summary>A repository that was emptied.</summary>
/// <param name="Since">Before the first of its manifests was hidden: what <see cref="RepositoryRemoval.RestoreAsync"/> takes to undo it.</param>
public sealed record RemovedRepository(DateTimeOffset Since, int Manifests);

/// <summary>A repository that was filled again.</summary>
public sealed record RestoredRepository(int Manifests, int Tags);

/// <summary>
/// Deletes a whole repository, a manifest after the other as <see cref="ContentRemoval"/> deletes one: what it holds is hidden, each with
/// its event, and garbage collection takes it when the grace is over. A repository without content is in no listing; its README and its history stay.
/// What ends on the way is to be asked for again, and goes on where it was. Memory: a page of digests.
/// </summary>
public sealed class RepositoryRemoval(IDbContextFactory<RegistryDbContext> contexts, ContentRemoval removal, ContentRestore restore)
{
    private const int Page = 200;

    /// <summary>Hides what was in it when it began: what comes into it meanwhile stays. Null: there is no such repository.</summary>
    /// <exception cref="OciException">DENIED (409): an immutable tag points at something of it, or a push put something of it into an index.</exception>
    public async Task<RemovedRepository?> RemoveAsync(RepositoryName repository, Actor actor, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;
        await RefuseImmutableAsync(db, repository, id, cancellationToken);

        var begun = (await db.Database.SqlQuery<DateTimeOffset>($"""SELECT clock_timestamp() AS "Value" """).ToListAsync(cancellationToken)).Single();
        var removed = 0;
        // An index goes before what it holds, so that none that is live ever misses a part.
        for (List<string> page; (page = await FreeAsync(db, id, begun, cancellationToken)).Count > 0;)
        {
            foreach (var digest in page)
            {
                if (await removal.RemoveManifestAsync(repository, Digest.Parse(digest), actor, cancellationToken)) removed++;
            }
        }

        return new RemovedRepository(begun, removed);
    }

    /// <summary>
    /// Brings back what was deleted since then, within the grace, with the tags that went along and whose names are free: what
    /// went last comes first, so that each finds its own tags. Null: there is no such repository.
    /// </summary>
    /// <param name="repository">Which.</param>
    /// <param name="since">Null: all that can be restored.</param>
    /// <param name="actor">Who.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<RestoredRepository?> RestoreAsync(
        RepositoryName repository, DateTimeOffset? since, Actor actor, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;
        var (manifests, tags, place) = (0, 0, (Hidden?)null);
        for (List<Hidden> page; (page = await HiddenAsync(db, id, since, place, cancellationToken)).Count > 0; place = page[^1])
        {
            foreach (var hidden in page)
            {
                // Null where its grace is over, or an index brought it back with itself.
                if (await restore.RestoreManifestAsync(repository, Digest.Parse(hidden.Digest), actor, cancellationToken) is not { } restored) continue;
                (manifests, tags) = (manifests + restored.Manifests.Count, tags + restored.Tags.Count);
            }
        }

        return new RestoredRepository(manifests, tags);
    }

    /// <summary>Asked before anything is hidden; each removal asks again.</summary>
    private async Task RefuseImmutableAsync(RegistryDbContext db, RepositoryName repository, long id, CancellationToken cancellationToken)
    {
        List<string> tags;
        for (var last = ""; (tags = await db.Database.SqlQuery<string>(
                 $"""SELECT name AS "Value" FROM tags WHERE repository_id = {id} AND name > {last} ORDER BY name LIMIT {Page}""")
                 .ToListAsync(cancellationToken)).Count > 0; last = tags[^1])
            removal.RefuseImmutable(repository, tags);
    }

    /// <summary>Live manifests that no live index holds.</summary>
    private static Task<List<string>> FreeAsync(RegistryDbContext db, long id, DateTimeOffset begun, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<string>(
            $"""
             SELECT m.digest AS "Value" FROM manifests m
             WHERE m.repository_id = {id} AND m.deleted_at IS NULL AND m.created_at <= {begun} AND NOT EXISTS (
                 SELECT FROM manifest_references r JOIN manifests p ON p.repository_id = r.repository_id AND p.digest = r.manifest_digest
                 WHERE r.repository_id = {id} AND r.child_digest = m.digest AND p.deleted_at IS NULL)
             LIMIT {Page}
             """).ToListAsync(cancellationToken);

    private static Task<List<Hidden>> HiddenAsync(
        RegistryDbContext db, long id, DateTimeOffset? since, Hidden? place, CancellationToken cancellationToken)
    {
        var (digest, at, from) = (place?.Digest ?? "", place?.DeletedAt ?? DateTimeOffset.MaxValue, since?.ToUniversalTime() ?? DateTimeOffset.MinValue);
        return db.Database.SqlQuery<Hidden>(
            $"""
             SELECT digest AS "Digest", deleted_at AS "DeletedAt" FROM manifests
             WHERE repository_id = {id} AND deleted_at >= {from} AND (deleted_at < {at} OR (deleted_at = {at} AND digest > {digest}))
             ORDER BY deleted_at DESC, digest LIMIT {Page}
             """).ToListAsync(cancellationToken);
    }

    private sealed record Hidden(string Digest, DateTimeOffset DeletedAt);
}
