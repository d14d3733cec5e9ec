using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Removal;

/// <summary>Something that <see cref="ContentRestore"/> can bring back.</summary>
/// <param name="Kind">manifest, tag or blob.</param>
/// <param name="Name">A digest, or a tag's name.</param>
/// <param name="From">Where a tag pointed; null for the others.</param>
/// <param name="Until">The end of its grace.</param>
public sealed record Restorable(string Kind, string Name, string? From, DateTimeOffset DeletedAt, DateTimeOffset Until);

/// <summary>Lists what was deleted in a repository and can be restored.</summary>
public sealed class RestorableContent(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    /// <summary>The largest page; bounds the memory of a listing.</summary>
    public const int MaxPage = 1000;

    private const string Manifest = "manifest", Tag = "tag", Blob = "blob";

    private static readonly string[] Kinds = [Manifest, Tag, Blob];

    /// <summary>Manifests, then tags, then blobs, each by name; a row at a time. Null: there is no such repository.</summary>
    public async Task<IAsyncEnumerable<Restorable>?> ListAsync(RepositoryName repository, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.FindRepositoryAsync(repository, cancellationToken) is { } id ? RowsAsync(id, cancellationToken) : null;
    }

    /// <summary>
    /// The same, at most <paramref name="limit"/> after a place that <see cref="PlaceOf"/> said; null: from the start. Null: there is no
    /// such repository.
    /// </summary>
    /// <exception cref="OciException">UNSUPPORTED (400): that is no place.</exception>
    public async Task<IReadOnlyList<Restorable>?> PageAsync(
        RepositoryName repository, string? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        var (first, last) = ParsePlace(after);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;
        var page = new List<Restorable>();
        for (var kind = first; kind < Kinds.Length && page.Count < limit; kind++)
        {
            var query = QueryOf(kind, id, kind == first ? last : "", limit - page.Count);
            page.AddRange(await db.Database.SqlQuery<Restorable>(query).ToListAsync(cancellationToken));
        }

        return page;
    }

    public static string PlaceOf(Restorable row) => $"{row.Kind}:{row.Name}";

    private static (int Kind, string Name) ParsePlace(string? text)
    {
        if (text is null) return (0, "");
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var kind = colon < 0 ? -1 : Array.IndexOf(Kinds, text[..colon]);
        return kind >= 0 ? (kind, text[(colon + 1)..]) : throw Browse.Places.Invalid();
    }

    private FormattableString QueryOf(int kind, long id, string after, int limit)
    {
        var grace = options.Value.Grace;
        return Kinds[kind] switch
        {
            Manifest =>
                $"""
                 SELECT 'manifest' AS "Kind", digest AS "Name", NULL AS "From", deleted_at AS "DeletedAt", deleted_at + {grace} AS "Until"
                 FROM manifests WHERE repository_id = {id} AND deleted_at > now() - {grace} AND digest > {after} ORDER BY digest LIMIT {limit}
                 """,
            // Removals have an index of their own: the tags that live, of which there may be many, are not looked at.
            Tag =>
                $"""
                 SELECT 'tag' AS "Kind", last.name AS "Name", before.manifest_digest AS "From", last.at AS "DeletedAt", last.at + {grace} AS "Until"
                 FROM tag_history last
                 CROSS JOIN LATERAL (
                     SELECT manifest_digest FROM tag_history
                     WHERE repository_id = {id} AND name = last.name AND id < last.id ORDER BY id DESC LIMIT 1) before
                 JOIN manifests m ON m.repository_id = {id} AND m.digest = before.manifest_digest
                 WHERE last.repository_id = {id} AND last.name > {after} AND last.manifest_digest IS NULL AND last.at > now() - {grace}
                   AND NOT EXISTS (SELECT FROM tag_history l WHERE l.repository_id = {id} AND l.name = last.name AND l.id > last.id)
                   AND (m.deleted_at IS NULL OR m.deleted_at > now() - {grace})
                 ORDER BY last.name LIMIT {limit}
                 """,
            _ =>
                $"""
                 SELECT 'blob' AS "Kind", digest AS "Name", NULL AS "From", deleted_at AS "DeletedAt", deleted_at + {grace} AS "Until"
                 FROM blob_links WHERE repository_id = {id} AND deleted_at > now() - {grace} AND digest > {after} ORDER BY digest LIMIT {limit}
                 """,
        };
    }

    private async IAsyncEnumerable<Restorable> RowsAsync(
        long id, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var grace = options.Value.Grace;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = db.Database.SqlQuery<Restorable>(
            $"""
             (SELECT 'manifest' AS "Kind", digest AS "Name", NULL AS "From", deleted_at AS "DeletedAt", deleted_at + {grace} AS "Until"
              FROM manifests WHERE repository_id = {id} AND deleted_at > now() - {grace} ORDER BY digest)
             UNION ALL
             (SELECT 'tag', last.name, before.manifest_digest, last.at, last.at + {grace} FROM (
                  SELECT DISTINCT ON (name) id, name, manifest_digest, at FROM tag_history WHERE repository_id = {id} ORDER BY name, id DESC) last
              CROSS JOIN LATERAL (
                  SELECT manifest_digest FROM tag_history
                  WHERE repository_id = {id} AND name = last.name AND id < last.id ORDER BY id DESC LIMIT 1) before
              JOIN manifests m ON m.repository_id = {id} AND m.digest = before.manifest_digest
              WHERE last.manifest_digest IS NULL AND last.at > now() - {grace}
                AND (m.deleted_at IS NULL OR m.deleted_at > now() - {grace}) ORDER BY last.name)
             UNION ALL
             (SELECT 'blob', digest, NULL, deleted_at, deleted_at + {grace}
              FROM blob_links WHERE repository_id = {id} AND deleted_at > now() - {grace} ORDER BY digest)
             """);
        await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancellationToken)) yield return row;
    }
}
