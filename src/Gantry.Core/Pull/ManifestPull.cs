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
/// all at once, because nobody remembers tags.
/// </summary>
public sealed class ManifestPull(NpgsqlDataSource database, IOptions<GcOptions> gc)
{
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

    private const string Properties =
        "SELECT m.digest, m.media_type, octet_length(m.payload), m.touched_at <= now() - $3";

    private const string Renew =
        """
        UPDATE manifests m SET touched_at = now() FROM repositories r
        WHERE r.name = $1 AND m.repository_id = r.id AND m.digest = $2 AND m.deleted_at IS NULL
        """;

    /// <summary>The whole manifest, at most <see cref="ManifestDocument.MaxBytes"/>; null where there is none.</summary>
    public async Task<StoredManifest?> GetAsync(RepositoryName repository, Reference reference,
        CancellationToken cancellationToken)
    {
        await using var command = Find($"{Properties}, m.payload {From(reference)}", repository, reference);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader, reader.GetFieldValue<byte[]>(4)) : null;
    }

    /// <summary>
    /// The manifest without its bytes; null where there is none. Its caller may go on to rely on it, so it is renewed.
    /// </summary>
    public async Task<StoredManifest?> HeadAsync(RepositoryName repository, Reference reference,
        CancellationToken cancellationToken)
    {
        await using var command = Find($"{Properties} {From(reference)}", repository, reference);
        StoredManifest manifest;
        // Closed once: see BlobPull.
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken)) return null;
            manifest = Read(reader, payload: null);
            if (!reader.GetBoolean(3)) return manifest;
        }

        await using var renew = Command(Renew, repository, manifest.Digest.ToString());
        return await renew.ExecuteNonQueryAsync(cancellationToken) == 1 ? manifest : null;
    }

    private static StoredManifest Read(NpgsqlDataReader reader, byte[]? payload) =>
        new(Digest.Parse(reader.GetString(0)), reader.GetString(1), reader.GetInt32(2), payload);

    private static string From(Reference reference) => reference.Tag is null ? ByDigest : ByTag;

    private NpgsqlCommand Find(string sql, RepositoryName repository, Reference reference)
    {
        var command = Command(sql, repository, reference.ToString());
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = gc.Value.RenewAfter });
        return command;
    }

    private NpgsqlCommand Command(string sql, RepositoryName repository, string reference)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = repository.ToString() });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = reference });
        return command;
    }
}
