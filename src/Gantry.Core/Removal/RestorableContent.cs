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
    /// <summary>Manifests, then tags, then blobs, each by name; a row at a time. Null: there is no such repository.</summary>
    public async Task<IAsyncEnumerable<Restorable>?> ListAsync(RepositoryName repository, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.FindRepositoryAsync(repository, cancellationToken) is { } id ? RowsAsync(id, cancellationToken) : null;
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
