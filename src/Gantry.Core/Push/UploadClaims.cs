using System.Collections.Concurrent;
using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gantry.Core.Push;

/// <summary>A writer's hold on a session row. What it writes names <paramref name="Epoch"/>, so that it is refused once another took over.</summary>
internal sealed record UploadClaim(Guid Id, long Epoch, StagingState State);

/// <summary>
/// One writer an upload, across all nodes. The row names the node that writes; a node that is gone loses what it had at
/// once, without a timeout. In this process <see cref="_mine"/> tells a request that runs from one that could not give the
/// row back (the database was away).
/// </summary>
public sealed partial class UploadClaims(NpgsqlDataSource database, NodePresence presence, ILogger<UploadClaims> logger)
{
    private static readonly string Take =
        $"""
         UPDATE upload_sessions SET writer = $3, epoch = epoch + 1
         WHERE id = $1 AND repository = $2 AND (writer IS NULL OR writer = $3 OR NOT {NodePresence.IsRunning("writer")})
         RETURNING epoch, staging_offset, algorithm, hash_state, backend_state
         """;

    private const string GiveBack = "UPDATE upload_sessions SET writer = NULL WHERE id = $1 AND epoch = $2";

    // One entry a running request.
    private readonly ConcurrentDictionary<Guid, bool> _mine = [];

    /// <summary>Null where another request has the upload, or where there is no such upload.</summary>
    internal async Task<UploadClaim?> TryTakeAsync(RepositoryName repository, Guid id, CancellationToken cancellationToken)
    {
        if (!_mine.TryAdd(id, true)) return null;
        UploadClaim? claim = null;
        try
        {
            await using var take = database.CreateCommand(Take);
            take.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            take.Parameters.Add(new NpgsqlParameter<string> { TypedValue = repository.ToString() });
            take.Parameters.Add(new NpgsqlParameter<int> { TypedValue = await presence.NumberAsync(cancellationToken) });
            await using var row = await take.ExecuteReaderAsync(cancellationToken);
            if (await row.ReadAsync(cancellationToken)) claim = new UploadClaim(id, row.GetInt64(0), State(row));
            return claim;
        }
        finally
        {
            if (claim is null) _mine.TryRemove(id, out _);
        }
    }

    /// <summary>Lets the next request have the upload.</summary>
    /// <param name="isFree">The row was given back, or removed, by a statement of the caller's.</param>
    internal async Task ReleaseAsync(UploadClaim claim, bool isFree)
    {
        try
        {
            if (isFree) return;
            await using var free = database.CreateCommand(GiveBack);
            free.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = claim.Id });
            free.Parameters.Add(new NpgsqlParameter<long> { TypedValue = claim.Epoch });
            await free.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception exception) when (DatabaseOutage.Is(exception))
        {
            // This node may take it again; the others once this node has lost its number, as it does in an outage.
            LogKept(logger, claim.Id, exception);
        }
        finally
        {
            _mine.TryRemove(claim.Id, out _);
        }
    }

    private static StagingState State(NpgsqlDataReader row) => new(row.GetInt64(1),
        DigestAlgorithms.TryParse(row.GetString(2), out var algorithm) ? algorithm : default, Bytes(row, 3), Bytes(row, 4));

    private static byte[]? Bytes(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Upload {SessionId} could not be given back")]
    private static partial void LogKept(ILogger logger, Guid sessionId, Exception exception);
}
