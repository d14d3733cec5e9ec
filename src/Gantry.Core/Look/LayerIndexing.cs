using System.Text.Encodings.Web;
using System.Text.Json;
using Gantry.Core.Data;
using Gantry.Core.Look.Indexing;
using Gantry.Layers;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Gantry.Core.Look;

/// <summary>What became of a layer that was read.</summary>
/// <param name="Digest">Of its blob.</param>
/// <param name="State">Ready or failed; waiting where it changed hands or went away meanwhile.</param>
/// <param name="Entries">In it.</param>
/// <param name="Bytes">Decompressed.</param>
public sealed record IndexedLayer(Digest Digest, LookState State, long Entries, long Bytes);

/// <summary>
/// Reads layers that wait, one at a time on this node, and writes down what is in them. A layer is claimed in its row: a node that is gone had what it had, and a node that
/// only lost its number meanwhile writes nothing, because the row is another's by then. Memory: <see cref="LookOptions.MaxMemory"/>, what
/// <see cref="LayerBlobs"/> takes, some 80 MiB for lists of packages, and 64 MiB where the layer has an rpm database.
/// </summary>
public sealed partial class LayerIndexing(
    NpgsqlDataSource database, NodePresence nodes, LayerBlobs blobs, IOptions<LookOptions> options, TimeProvider time, ILogger<LayerIndexing> logger) : IDisposable
{
    /// <summary>Raised whenever the same layer would be listed otherwise: what has another is read again.</summary>
    public const int Version = 1;

    /// <summary>A layer that ends its node, whatever the fault, ends so many.</summary>
    private const int MaxAttempts = 3;

    private const int Batch = 1000;

    private const string CannotRead = "the layer could not be read; the server's log says why";

    /// <summary>A million entries are some 30 MB.</summary>
    private static readonly TimeSpan CopyTimeout = TimeSpan.FromMinutes(2);

    /// <summary>The JSON goes nowhere but into a column: nothing is escaped for the sake of a page.</summary>
    private static readonly JsonSerializerOptions PackageJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string ClaimText =
        $"""
         UPDATE layer_listings l SET state = 'reading', node = $1, version = $2, error = NULL, attempts = l.attempts + 1
         FROM (SELECT w.digest, b.location, b.size FROM layer_listings w JOIN blobs b ON b.digest = w.digest
               WHERE w.state IN ('waiting', 'reading') AND b.quarantined_at IS NULL
                   AND (w.state = 'waiting' OR w.node = $1 OR NOT {NodePresence.IsRunning("w.node")})
                   AND EXISTS (SELECT FROM blob_links k WHERE k.digest = w.digest)
               ORDER BY w.urgent DESC, w.asked_at LIMIT 1 FOR UPDATE OF w SKIP LOCKED) c
         WHERE l.digest = c.digest RETURNING l.digest, c.location, c.size, l.attempts
         """;

    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Lets everything wait again that was listed in another way than this version's.</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        int renewed;
        do
        {
            await using var command = database.CreateCommand(
                """
                UPDATE layer_listings SET state = 'waiting', attempts = 0, asked_at = now() WHERE digest IN (
                    SELECT digest FROM layer_listings WHERE state IN ('ready', 'failed') AND version < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
                """);
            Set(command, Value(Version), Value(Batch));
            renewed = await command.ExecuteNonQueryAsync(cancellationToken);
        }
        while (renewed == Batch);
    }

    /// <summary>Reads the layer that is most wanted.</summary>
    /// <returns>Null where none waits.</returns>
    /// <exception cref="IOException">The store does not answer, or not for this layer: it waits again, behind the others.</exception>
    public async Task<IndexedLayer?> NextAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await ClaimAsync(cancellationToken) is { } claim ? await ReadAsync(claim, cancellationToken) : null;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<Claim?> ClaimAsync(CancellationToken cancellationToken)
    {
        var node = await nodes.NumberAsync(cancellationToken);
#pragma warning disable CA2100 // a constant of ours
        await using var command = database.CreateCommand(ClaimText);
#pragma warning restore CA2100
        Set(command, Value(node), Value(Version));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return new Claim(Digest.Parse(reader.GetString(0)), new BlobLocation(reader.GetString(1)), reader.GetInt64(2), node, reader.GetInt32(3));
    }

    private async Task<IndexedLayer> ReadAsync(Claim claim, CancellationToken cancellationToken)
    {
        if (claim.Attempt > MaxAttempts) return await FailAsync(claim, $"reading the layer was begun {MaxAttempts} times and did not come to its end", cancellationToken);
        var started = time.GetTimestamp();
        using var limit = new CancellationTokenSource(options.Value.MaxTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var layer = await blobs.ReadAsync(claim.Location, tar => ReadLayer.From(tar, options.Value, both.Token), isPatient: true, both.Token);
            if (!await WriteAsync(claim, layer, cancellationToken)) return new IndexedLayer(claim.Digest, LookState.Waiting, 0, 0);
            var elapsed = time.GetElapsedTime(started);
            LogRead(logger, claim.Digest, claim.Size, layer.Order.Entries, elapsed);
            return new IndexedLayer(claim.Digest, LookState.Ready, layer.Order.Entries, layer.Bytes);
        }
        catch (LayerException fault)
        {
            return await FailAsync(claim, fault.Message, cancellationToken);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return await FailAsync(claim, $"the layer takes more than {options.Value.MaxTime} to read", cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops, and another one need not wait for its end to be noticed.
            await EndAsync(claim, "waiting", null, isCounted: false, CancellationToken.None);
            throw;
        }
        catch (Exception fault) when (fault is IOException or DllNotFoundException or NpgsqlException { IsTransient: true } || DatabaseOutage.Is(fault))
        {
            // No layer fails for a store that is away, or for a library that is still to be installed; where the store answers it is the blob.
            var isCounted = fault is not DllNotFoundException && (fault is not IOException || await blobs.StoreAnswersAsync(cancellationToken));
            if (isCounted && claim.Attempt == MaxAttempts)
            {
                LogFault(logger, claim.Digest, fault);
                return await FailAsync(claim, CannotRead, cancellationToken);
            }

            // A blob that was collected meanwhile is no fault of the store's: its row is gone.
            if (!await EndAsync(claim, "waiting", null, isCounted, cancellationToken)) return new IndexedLayer(claim.Digest, LookState.Waiting, 0, 0);
            throw;
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // A fault of ours. Tried again it would be the same, and stand in the way of the others.
            LogFault(logger, claim.Digest, fault);
            return await FailAsync(claim, CannotRead, cancellationToken);
        }
    }

    private async Task<IndexedLayer> FailAsync(Claim claim, string reason, CancellationToken cancellationToken)
    {
        LogFailed(logger, claim.Digest, claim.Size, reason);
        await EndAsync(claim, "failed", reason, isCounted: true, cancellationToken);
        return new IndexedLayer(claim.Digest, LookState.Failed, 0, 0);
    }

    /// <summary>One transaction: the row first, so that whoever lost it writes nothing.</summary>
    private async Task<bool> WriteAsync(Claim claim, ReadLayer layer, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await IsOursAsync(connection, claim, cancellationToken)) return false;
        await using (var copy = await connection.BeginBinaryImportAsync("COPY layer_pages (digest, first, page) FROM STDIN (FORMAT binary)", cancellationToken))
        {
            copy.Timeout = CopyTimeout;
            foreach (var (first, page) in layer.Order.Pages())
            {
                await copy.StartRowAsync(cancellationToken);
                await copy.WriteAsync(claim.Digest.ToString(), NpgsqlDbType.Text, cancellationToken);
                await copy.WriteAsync(first, NpgsqlDbType.Bytea, cancellationToken);
                await copy.WriteAsync(page, NpgsqlDbType.Bytea, cancellationToken);
            }

            await copy.CompleteAsync(cancellationToken);
        }

        await using var update = new NpgsqlCommand(
            """
            UPDATE layer_listings SET state = 'ready', node = NULL, urgent = false, diff_id = $2, entries = $3, bytes = $4, packages = $5 WHERE digest = $1
            """, connection) { CommandTimeout = (int)CopyTimeout.TotalSeconds };
        Set(update, Value(claim.Digest.ToString()), Value(layer.DiffId.ToString()), Value(layer.Order.Entries), Value(layer.Bytes));
        object packages = layer.Packages.Count == 0 ? DBNull.Value : JsonSerializer.SerializeToUtf8Bytes(layer.Packages, PackageJson);
        update.Parameters.Add(new NpgsqlParameter { Value = packages, NpgsqlDbType = NpgsqlDbType.Jsonb });
        await update.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static async Task<bool> IsOursAsync(NpgsqlConnection connection, Claim claim, CancellationToken cancellationToken)
    {
        await using var take = new NpgsqlCommand(
            "SELECT FROM layer_listings WHERE digest = $1 AND state = 'reading' AND node = $2 FOR UPDATE", connection);
        Set(take, Value(claim.Digest.ToString()), Value(claim.Node));
        await using (var taken = await take.ExecuteReaderAsync(cancellationToken))
        {
            if (!await taken.ReadAsync(cancellationToken)) return false;
        }

        await using var empty = new NpgsqlCommand("DELETE FROM layer_pages WHERE digest = $1", connection);
        empty.Parameters.Add(Value(claim.Digest.ToString()));
        await empty.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    /// <summary>Behind the others, whoever waited for it: what cannot be read would stand in their way again at once.</summary>
    private async Task<bool> EndAsync(Claim claim, string state, string? error, bool isCounted, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            UPDATE layer_listings SET state = $3, attempts = $4, error = $5, node = NULL, urgent = false, asked_at = now()
            WHERE digest = $1 AND state = 'reading' AND node = $2
            """);
        Set(command, Value(claim.Digest.ToString()), Value(claim.Node), Value(state), Value(isCounted ? claim.Attempt : claim.Attempt - 1));
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)error ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private static void Set(NpgsqlCommand command, params NpgsqlParameter[] values) => command.Parameters.AddRange(values);

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    [LoggerMessage(Level = LogLevel.Debug, Message = "Layer {Digest} of {SizeBytes} bytes: {Entries} entries listed in {Elapsed}")]
    private static partial void LogRead(ILogger logger, Digest digest, long sizeBytes, long entries, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Digest} of {SizeBytes} bytes cannot be listed: {Reason}")]
    private static partial void LogFailed(ILogger logger, Digest digest, long sizeBytes, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Layer {Digest} could not be listed")]
    private static partial void LogFault(ILogger logger, Digest digest, Exception exception);

    private sealed record Claim(Digest Digest, BlobLocation Location, long Size, int Node, int Attempt);
}
