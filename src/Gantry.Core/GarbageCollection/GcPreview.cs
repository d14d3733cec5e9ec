using System.Data;
using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Core.GarbageCollection;

/// <summary>Something that a run now would take.</summary>
/// <param name="Kind">manifest, link, blob, untagged (a rule would hide it), upload, orphan or bytes (of a row that went before).</param>
/// <param name="Bytes">In the store, or of a manifest; null where nobody knows.</param>
public sealed record GcItem(string Kind, string Name, long? Bytes);

/// <summary>
/// Says what a whole run would remove, with all that follows from it, and removes nothing: one REPEATABLE READ transaction that
/// locks no row, works out the consequences in temporary tables and is rolled back. Memory: a row.
/// </summary>
public sealed class GcPreview(
    NpgsqlDataSource database, IDbContextFactory<RegistryDbContext> contexts, Retention retention, OrphanSearch orphans, IBlobStore store,
    IOptions<GcOptions> options)
{
    private const int Page = 500;

    /// <summary>In the order in which a run gets to them.</summary>
    private static readonly string[] Kinds = ["upload", "untagged", "manifest", "link", "blob", "orphan", "bytes"];

    private static readonly string[] Manifests =
    [
        """
        CREATE TEMP TABLE gone_manifests (repository_id bigint, digest text COLLATE "C", PRIMARY KEY (repository_id, digest)) ON COMMIT DROP;
        CREATE TEMP TABLE gone_links (repository_id bigint, digest text COLLATE "C", PRIMARY KEY (repository_id, digest)) ON COMMIT DROP
        """,
        """
        INSERT INTO gone_manifests SELECT repository_id, digest FROM manifests m
        WHERE suspect_since <= now() - $1 AND deleted_at <= now() - $1
          AND NOT EXISTS (SELECT FROM tags t WHERE t.repository_id = m.repository_id AND t.manifest_digest = m.digest)
        """,
    ];

    /// <summary>Until it finds none: children that only what goes may hold.</summary>
    private const string Children =
        """
        INSERT INTO gone_manifests SELECT DISTINCT c.repository_id, c.digest FROM gone_manifests g
            JOIN manifest_references r ON r.repository_id = g.repository_id AND r.manifest_digest = g.digest
            JOIN manifests c ON c.repository_id = r.repository_id AND c.digest = r.child_digest
        WHERE c.deleted_at <= now() - $1 ON CONFLICT DO NOTHING
        """;

    /// <summary>Until it finds none: what something that stays holds, stays.</summary>
    private const string Held =
        """
        DELETE FROM gone_manifests g WHERE EXISTS (
            SELECT FROM manifest_references r WHERE r.repository_id = g.repository_id AND r.child_digest = g.digest AND NOT EXISTS (
                SELECT FROM gone_manifests p WHERE p.repository_id = r.repository_id AND p.digest = r.manifest_digest))
        """;

    private const string Links =
        """
        INSERT INTO gone_links SELECT l.repository_id, l.digest FROM (
            SELECT repository_id, digest FROM blob_links WHERE suspect_since <= now() - $1
            UNION SELECT r.repository_id, r.blob_digest FROM gone_manifests g
                JOIN manifest_references r ON r.repository_id = g.repository_id AND r.manifest_digest = g.digest WHERE r.blob_digest IS NOT NULL) s
            JOIN blob_links l ON l.repository_id = s.repository_id AND l.digest = s.digest
        WHERE greatest(l.touched_at, l.deleted_at) <= now() - $1 AND NOT EXISTS (
            SELECT FROM manifest_references r WHERE r.repository_id = l.repository_id AND r.blob_digest = l.digest AND NOT EXISTS (
                SELECT FROM gone_manifests g WHERE g.repository_id = r.repository_id AND g.digest = r.manifest_digest))
        """;

    private static readonly string Found =
        $"""
         SELECT 'manifest', n.name || '@' || g.digest, octet_length(m.payload)::bigint FROM gone_manifests g
             JOIN manifests m ON m.repository_id = g.repository_id AND m.digest = g.digest JOIN repositories n ON n.id = g.repository_id
         UNION ALL SELECT 'link', n.name || '@' || g.digest, NULL FROM gone_links g JOIN repositories n ON n.id = g.repository_id
         UNION ALL SELECT 'blob', b.digest, b.size FROM (
             SELECT digest FROM gone_links UNION SELECT digest FROM blobs WHERE suspect_since IS NOT NULL) s JOIN blobs b ON b.digest = s.digest
             WHERE NOT EXISTS (SELECT FROM blob_links l WHERE l.digest = b.digest AND NOT EXISTS (
                 SELECT FROM gone_links g WHERE g.repository_id = l.repository_id AND g.digest = l.digest))
         UNION ALL SELECT 'upload', repository || '@' || id, staging_offset FROM upload_sessions
             WHERE expires_at < now() AND (writer IS NULL OR NOT {NodePresence.IsRunning("writer")})
         UNION ALL SELECT 'bytes', location, CASE WHEN kind = 'location' THEN -1 END FROM doomed_locations WHERE delete_after <= now()
         """;

    public async IAsyncEnumerable<GcItem> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in RowsAsync(cancellationToken))
            yield return item is { Kind: "bytes", Bytes: not null }
                ? item with { Bytes = await store.StatAsync(new BlobLocation(item.Name), cancellationToken) } : item;
        await foreach (var item in UntaggedAsync(cancellationToken)) yield return item;
        await foreach (var orphan in orphans.ListAsync(cancellationToken))
            yield return new GcItem("orphan", orphan.Location?.Value ?? $"staging of {orphan.SessionId:N}", orphan.Size);
    }

    /// <summary>All of it by kind, for people and programs that want no list of a million names.</summary>
    /// <param name="named">How many of each kind are named.</param>
    /// <returns>Only kinds of which there is something.</returns>
    public async Task<IReadOnlyList<GcKind>> CountAsync(int named, CancellationToken cancellationToken)
    {
        var found = Kinds.ToDictionary(kind => kind, kind => new GcKind(kind, named), StringComparer.Ordinal);
        await foreach (var item in ListAsync(cancellationToken)) found[item.Kind].Add(item);
        return [.. Kinds.Select(kind => found[kind]).Where(kind => kind.Count > 0)];
    }

    private async IAsyncEnumerable<GcItem> RowsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        foreach (var sql in Manifests) await ExecuteAsync(sql);
        while (await ExecuteAsync(Children) > 0) continue;
        while (await ExecuteAsync(Held) > 0) continue;
        await ExecuteAsync(Links);
        await ExecuteAsync("ANALYZE gone_manifests, gone_links");

        await using var found = Command(Found);
        await using var rows = await found.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            yield return new GcItem(rows.GetString(0), rows.GetString(1), await rows.IsDBNullAsync(2, cancellationToken) ? null : rows.GetInt64(2));

        async Task<int> ExecuteAsync(string sql)
        {
            await using var command = Command(sql);
            if (sql.Contains("$1", StringComparison.Ordinal)) command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.Grace });
            return await command.ExecuteNonQueryAsync(cancellationToken);
        }

        // However long a large registry takes.
#pragma warning disable CA2100 // the statements above
        NpgsqlCommand Command(string sql) => new(sql, connection, transaction) { CommandTimeout = 0 };
#pragma warning restore CA2100
    }

    private async IAsyncEnumerable<GcItem> UntaggedAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!retention.HasRules) yield break;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        List<Retention.Known> repositories;
        for (var from = 0L; (repositories = await Retention.RepositoriesAsync(db, from, cancellationToken)).Count > 0; from = repositories[^1].Id + 1)
        {
            foreach (var repository in repositories)
            {
                if (retention.RuleOf(RepositoryName.Parse(repository.Name)) is not { } rule) continue;
                string[] page;
                for (var last = ""; (page = await Retention.PageAsync(db, repository.Id, last, Page, cancellationToken)).Length > 0; last = page[^1])
                {
                    foreach (var digest in await Retention.UntaggedAsync(db, repository.Id, page, rule.After, cancellationToken))
                        yield return new GcItem("untagged", $"{repository.Name}@{digest}", null);
                }
            }
        }
    }
}
