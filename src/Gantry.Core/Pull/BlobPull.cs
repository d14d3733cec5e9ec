using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Core.Pull;

/// <summary>A blob a repository may serve.</summary>
public sealed record StoredBlob(Digest Digest, long Size, BlobLocation Location);

/// <summary>
/// Finds blobs through the link of the repository asked for; without one a blob is unknown, whoever else has it.
/// One prepared statement a request, past EF Core: this is what pulls wait for.
/// </summary>
public sealed class BlobPull(NpgsqlDataSource database, IBlobStore store, IOptions<GcOptions> gc)
{
    private const string Find =
        """
        SELECT b.size, b.location, l.touched_at <= now() - $3
        FROM repositories r JOIN blob_links l ON l.repository_id = r.id JOIN blobs b ON b.digest = l.digest
        WHERE r.name = $1 AND l.digest = $2 AND l.deleted_at IS NULL AND b.quarantined_at IS NULL
        """;

    private const string Renew =
        """
        UPDATE blob_links l SET touched_at = now() FROM repositories r
        WHERE r.name = $1 AND l.repository_id = r.id AND l.digest = $2 AND l.deleted_at IS NULL
        """;

    /// <summary>
    /// Null where the repository has no such blob.
    /// </summary>
    /// <param name="renew">
    /// True for a HEAD: its caller will rely on the blob without sending it again, so garbage collection has to leave it
    /// alone for its grace.
    /// </param>
    public async Task<StoredBlob?> FindAsync(RepositoryName repository, Digest digest, bool renew,
        CancellationToken cancellationToken)
    {
        await using var find = Command(Find, repository, digest);
        find.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = gc.Value.RenewAfter });
        StoredBlob blob;
        // Closed once, and before the connection's next command: Npgsql hands the same reader to whoever has the connection next,
        // and closing it again would end a stranger's.
        await using (var reader = await find.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken)) return null;
            blob = new StoredBlob(digest, reader.GetInt64(0), new BlobLocation(reader.GetString(1)));
            if (!renew || !reader.GetBoolean(2)) return blob;
        }

        await using var touch = Command(Renew, repository, digest);
        return await touch.ExecuteNonQueryAsync(cancellationToken) == 1 ? blob : null;
    }

    /// <summary>Opens the bytes of a blob found before; the caller disposes the reader.</summary>
    /// <param name="expected">What will be copied first; null: everything.</param>
    public async Task<IBlobReader> OpenAsync(StoredBlob blob, BlobRange? expected, CancellationToken cancellationToken) =>
        await store.OpenAsync(blob.Location, expected, cancellationToken)
        ?? throw new IOException($"blob {blob.Digest} has a row but no bytes at {blob.Location}");

    private NpgsqlCommand Command(string sql, RepositoryName repository, Digest digest)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = repository.ToString() });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = digest.ToString() });
        return command;
    }
}
