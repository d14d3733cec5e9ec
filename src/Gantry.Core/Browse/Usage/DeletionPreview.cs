using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>What a deletion would free, as things stand. The bytes go when the grace is over, and it can be taken back until then.</summary>
/// <param name="Bytes">Of the manifests that it hides and of all blobs that nothing live would need then, in any repository.</param>
/// <param name="Manifests">That it hides.</param>
/// <param name="Blobs">That would go.</param>
/// <param name="Tags">That go with it.</param>
/// <param name="After">When a retention rule would do it; null: the deletion itself does.</param>
/// <param name="BelowBytes">More that would go if the images that an index alone holds, which stay, were deleted after it.</param>
/// <param name="BelowManifests">How many these are.</param>
/// <param name="HeldBy">The index that holds the manifest, for which it cannot be deleted; null: none.</param>
public sealed record Freed(
    long Bytes, int Manifests, int Blobs, int Tags, TimeSpan? After = null, long BelowBytes = 0, int BelowManifests = 0, Digest? HeldBy = null)
{
    public static Freed Nothing { get; } = new(0, 0, 0, 0);
}

/// <summary>Says what deleting something would free, and deletes nothing. Looks without locks; the cost is by what would be deleted.</summary>
public sealed class DeletionPreview(IDbContextFactory<RegistryDbContext> contexts, Retention retention)
{
    /// <summary>Images below one index that are looked at.</summary>
    private const int MostBelow = 10_000;

    /// <summary>
    /// A tag goes alone: what it named stays, without a tag, until somebody deletes it or a retention rule does
    /// (<see cref="Freed.After"/>). Null: no such tag.
    /// </summary>
    public async Task<Freed?> OfTagAsync(RepositoryName repository, TagName tag, CancellationToken cancellationToken)
    {
        var name = tag.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;
        var named = await db.Database.SqlQuery<Named>(
            $"""
             SELECT t.manifest_digest AS "Digest", EXISTS (
                 SELECT FROM tags o WHERE o.repository_id = {id} AND o.manifest_digest = t.manifest_digest AND o.name <> t.name)
                 OR EXISTS (SELECT FROM manifests m JOIN manifests s ON s.repository_id = m.repository_id AND s.digest = m.subject_digest
                     WHERE m.repository_id = {id} AND m.digest = t.manifest_digest AND s.deleted_at IS NULL) AS "IsKept"
             FROM tags t WHERE t.repository_id = {id} AND t.name = {name}
             """).ToListAsync(cancellationToken);
        if (named.Count == 0) return null;

        var left = Freed.Nothing with { Tags = 1 };
        if (named[0].IsKept || retention.RuleOf(repository) is not { } rule) return left;
        var then = await OfManifestAsync(db, id, named[0].Digest, cancellationToken);
        return then is null or { HeldBy: not null } ? left : then with { After = rule.After };
    }

    /// <summary>Null: no such manifest.</summary>
    public async Task<Freed?> OfManifestAsync(RepositoryName repository, Digest digest, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.FindRepositoryAsync(repository, cancellationToken) is { } id
            ? await OfManifestAsync(db, id, digest.ToString(), cancellationToken) : null;
    }

    /// <summary>
    /// All that the repository holds and no other repository needs: what is hidden already, and its blobs that no manifest names, among it.
    /// Null: no such repository.
    /// </summary>
    public async Task<Freed?> OfRepositoryAsync(RepositoryName repository, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;

        var freed = await db.SumAsync(id, cancellationToken);
        return new Freed(freed.Bytes, (int)freed.Manifests, (int)freed.Blobs, (int)freed.Tags);
    }

    private static async Task<Freed?> OfManifestAsync(RegistryDbContext db, long repository, string digest, CancellationToken cancellationToken)
    {
        var facts = await db.Database.SqlQuery<Facts>(
            $"""
             SELECT (SELECT count(*)::int FROM tags t WHERE t.repository_id = {repository} AND t.manifest_digest = {digest}) AS "Tags",
                    (SELECT r.manifest_digest FROM manifest_references r JOIN manifests p ON p.repository_id = r.repository_id AND p.digest = r.manifest_digest
                     WHERE r.repository_id = {repository} AND r.child_digest = {digest} AND p.deleted_at IS NULL LIMIT 1) AS "HeldBy"
             FROM manifests m WHERE m.repository_id = {repository} AND m.digest = {digest} AND m.deleted_at IS NULL
             """).ToListAsync(cancellationToken);
        if (facts.Count == 0) return null;

        var below = await BelowAsync(db, repository, digest, cancellationToken);
        var alone = await db.FreedAsync(repository, [digest], cancellationToken);
        var all = below.Length == 0 ? alone : await db.FreedAsync(repository, [digest, .. below], cancellationToken);
        return new Freed(alone.Bytes, 1, alone.Blobs, facts[0].Tags, null, all.Bytes - alone.Bytes, below.Length,
            facts[0].HeldBy is { } parent ? Digest.Parse(parent) : null);
    }

    /// <summary>What the index holds, directly or further down, that has no tag and that no other live index holds, outside of what goes with it.</summary>
    private static async Task<string[]> BelowAsync(RegistryDbContext db, long repository, string root, CancellationToken cancellationToken)
    {
        var going = new HashSet<string>(StringComparer.Ordinal) { root };
        string[] level = [root];
        while (level.Length > 0 && going.Count <= MostBelow)
        {
            var known = going.ToArray();
            level = await db.Database.SqlQuery<string>(
                $"""
                 SELECT DISTINCT c.digest AS "Value" FROM unnest({level}) p (digest)
                     JOIN manifest_references r ON r.repository_id = {repository} AND r.manifest_digest = p.digest
                     JOIN manifests c ON c.repository_id = r.repository_id AND c.digest = r.child_digest
                 WHERE c.deleted_at IS NULL AND c.digest <> ALL ({known})
                   AND NOT EXISTS (SELECT FROM tags t WHERE t.repository_id = {repository} AND t.manifest_digest = c.digest)
                   AND NOT EXISTS (SELECT FROM manifest_references o JOIN manifests m ON m.repository_id = o.repository_id AND m.digest = o.manifest_digest
                       WHERE o.repository_id = {repository} AND o.child_digest = c.digest AND m.deleted_at IS NULL AND o.manifest_digest <> ALL ({known}))
                 LIMIT {MostBelow}
                 """).ToArrayAsync(cancellationToken);
            going.UnionWith(level);
        }

        going.Remove(root);
        return [.. going];
    }

    private sealed record Named(string Digest, bool IsKept);

    private sealed record Facts(int Tags, string? HeldBy);
}
