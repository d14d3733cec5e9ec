using System.Text.Json;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Core.Pull;

/// <summary>A manifest as it was pushed.</summary>
/// <param name="Payload">Null where only its properties were asked for.</param>
/// <param name="Size">Of the payload, in bytes.</param>
public sealed record StoredManifest(Digest Digest, string MediaType, int Size, byte[]? Payload);

/// <summary>
/// Finds manifests by tag or digest. One prepared statement a request, past EF Core: a tag moved on one node is new on
/// all at once, because nobody believes what he remembers of a tag. What was served before only spares the database the
/// payload, where it still finds the same digest.
/// </summary>
public sealed class ManifestPull(NpgsqlDataSource database, PullCounts counts, IOptions<GcOptions> gc)
{
    /// <summary>How much is remembered, in bytes.</summary>
    private const long Capacity = 64 * 1024 * 1024;

    /// <summary>What an entry takes beside its payload, in bytes: two keys, two digests, the nodes of two collections.</summary>
    private const int Overhead = 600;

    private const string ByDigest =
        """
        FROM repositories r JOIN manifests m ON m.repository_id = r.id
        WHERE r.name = $1 AND m.digest = $2 AND m.deleted_at IS NULL
        """;

    private const string ByTag =
        """
        FROM repositories r JOIN tags t ON t.repository_id = r.id
            JOIN manifests m ON m.repository_id = r.id AND m.digest = t.manifest_digest
        WHERE r.name = $1 AND t.name = $2 AND m.deleted_at IS NULL
        """;

    /// <summary>$3: the digest whose payload is known here.</summary>
    private const string GetByDigest = $"SELECT m.digest, m.media_type, CASE WHEN m.digest = $3 THEN NULL ELSE m.payload END {ByDigest}";

    /// <summary>
    /// $3 as above: a tag that still points there is read alone, for a tag's manifest is never hidden (the tags go in the
    /// transaction that hides it). OFFSET keeps the planner from reading the manifest first and asking then.
    /// </summary>
    private const string GetByTag =
        """
        SELECT t.manifest_digest, m.media_type, m.payload
        FROM repositories r JOIN tags t ON t.repository_id = r.id LEFT JOIN LATERAL (
            SELECT media_type, payload FROM manifests
            WHERE repository_id = r.id AND digest = t.manifest_digest AND t.manifest_digest <> $3 OFFSET 0) m ON true
        WHERE r.name = $1 AND t.name = $2
        """;

    private const string Head =
        "SELECT m.digest, m.media_type, octet_length(m.payload), m.touched_at <= now() - $3";

    private const string Renew =
        """
        UPDATE manifests m SET touched_at = now() FROM repositories r
        WHERE r.name = $1 AND m.repository_id = r.id AND m.digest = $2 AND m.deleted_at IS NULL
        """;

    private readonly RecentlyUsed<(RepositoryName, string), StoredManifest> _served = new(Capacity, manifest => manifest.Size + Overhead);

    /// <summary>The whole manifest, at most <see cref="ManifestDocument.MaxBytes"/>; null where there is none. It counts as a pull.</summary>
    public async Task<StoredManifest?> GetAsync(RepositoryName repository, Reference reference, CancellationToken cancellationToken)
    {
        var manifest = await ReadAsync(repository, reference, cancellationToken);
        if (manifest is not null) counts.Count(repository, reference.ToString());
        return manifest;
    }

    /// <summary>The same for who only looks: it counts as nothing.</summary>
    public async Task<StoredManifest?> ReadAsync(RepositoryName repository, Reference reference, CancellationToken cancellationToken)
    {
        var key = (repository, reference.ToString());
        _served.TryGet(key, out var known);
        await using var command = Command(reference.Tag is null ? GetByDigest : GetByTag, repository, key.Item2);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = known?.Digest.ToString() ?? "" });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        if (reader.IsDBNull(2)) return known;

        var payload = reader.GetFieldValue<byte[]>(2);
        var manifest = new StoredManifest(Digest.Parse(reader.GetString(0)), reader.GetString(1), payload.Length, payload);
        if (NamesItsMediaType(payload)) _served.Set(key, manifest);
        return manifest;
    }

    /// <summary>
    /// The manifest without its bytes; null where there is none. Its caller may go on to rely on it, so it is renewed.
    /// </summary>
    public async Task<StoredManifest?> HeadAsync(RepositoryName repository, Reference reference,
        CancellationToken cancellationToken)
    {
        await using var command = Command($"{Head} {(reference.Tag is null ? ByDigest : ByTag)}", repository, reference.ToString());
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = gc.Value.RenewAfter });
        StoredManifest manifest;
        // Closed once: see BlobPull.
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken)) return null;
            manifest = new StoredManifest(Digest.Parse(reader.GetString(0)), reader.GetString(1), reader.GetInt32(2), Payload: null);
            if (!reader.GetBoolean(3)) return manifest;
        }

        await using var renew = Command(Renew, repository, manifest.Digest.ToString());
        return await renew.ExecuteNonQueryAsync(cancellationToken) == 1 ? manifest : null;
    }

    /// <summary>
    /// Then the media type is as lasting as the bytes. Where they do not name it, the next push of the same bytes may give
    /// it another one.
    /// </summary>
    private static bool NamesItsMediaType(byte[] payload)
    {
        var json = new Utf8JsonReader(payload);
        while (json.Read())
        {
            if (json.CurrentDepth == 1 && json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("mediaType"u8)) return true;
        }

        return false;
    }

    private NpgsqlCommand Command(string sql, RepositoryName repository, string reference)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = repository.ToString() });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = reference });
        return command;
    }
}
