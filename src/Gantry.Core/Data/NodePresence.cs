using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gantry.Core.Data;

/// <summary>
/// This process's number among the nodes of one database. An advisory lock on a connection of its own says that it still
/// runs: PostgreSQL frees it with a process that dies, and after <see cref="Keepalive"/> with a machine that is gone. Whoever
/// finds a number without its lock may take over what that node had; a node that only lost its connection comes back under
/// another number, and what it still writes under the old one is refused by the rows' epochs.
/// </summary>
public sealed partial class NodePresence(NpgsqlDataSource database, TimeProvider time, ILogger<NodePresence> logger)
    : BackgroundService
{
    /// <summary>First half of the advisory lock's key: "gnod" in ASCII. The number is the second.</summary>
    internal const int LockClass = 0x676e6f64;

    internal const string Keepalive =
        "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2";

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5), Pause = TimeSpan.FromMilliseconds(200);
    private readonly SemaphoreSlim _entering = new(1);
    private Held? _held;

    /// <summary>The number, taken at the first question.</summary>
    public async ValueTask<int> NumberAsync(CancellationToken cancellationToken) =>
        (Volatile.Read(ref _held) ?? await EnterAsync(cancellationToken)).Number;

    /// <summary>A condition on a column that holds a node's number or null: that node runs.</summary>
    internal static string IsRunning(string column) => IsHeld(LockClass, column);

    /// <summary>A condition: somebody has this advisory lock of two halves.</summary>
    internal static string IsHeld(int first, string second) =>
        $"""
         EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = {first} AND objid = {second}::oid
             AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
         """;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Held? held = null;
            try
            {
                held = Volatile.Read(ref _held) ?? await EnterAsync(stoppingToken);
                await WatchAsync(held.Connection, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // The number is given back below.
            }
            catch (Exception exception) when (DatabaseOutage.Is(exception) || exception is InvalidOperationException)
            {
                LogLost(logger, held?.Number, exception);
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            finally
            {
                await LeaveAsync(held);
            }
        }
    }

    private static async Task WatchAsync(NpgsqlConnection connection, CancellationToken stoppingToken)
    {
        while (true)
        {
            await connection.WaitAsync(Beat, stoppingToken);
            await using var beat = new NpgsqlCommand("SELECT 1", connection);
            await beat.ExecuteNonQueryAsync(stoppingToken);
        }
    }

    public override void Dispose()
    {
        _entering.Dispose();
        base.Dispose();
    }

    private async Task<Held> EnterAsync(CancellationToken cancellationToken)
    {
        await _entering.WaitAsync(cancellationToken);
        try
        {
            if (_held is { } held) return held;
            var connection = await database.OpenConnectionAsync(cancellationToken);
            try
            {
                held = new Held(await TakeNumberAsync(connection, cancellationToken), connection);
                Volatile.Write(ref _held, held);
                return held;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }
        finally
        {
            _entering.Release();
        }
    }

    private static async Task<int> TakeNumberAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var enter = new NpgsqlCommand(
            $"{Keepalive}; SELECT number, pg_try_advisory_lock({LockClass}, number) FROM nextval('node_numbers') n, int4(n) number", connection);
        await using var reader = await enter.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var number = reader.GetInt32(0);
        return reader.GetBoolean(1) ? number : throw new InvalidOperationException($"node number {number} is in use");
    }

    // The pool resets a connection that comes back, and with it ends the lock.
    private async ValueTask LeaveAsync(Held? held)
    {
        if (held is null) return;
        Interlocked.CompareExchange(ref _held, null, held);
        await held.Connection.DisposeAsync();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {Number} lost its connection; it goes on under another number")]
    private static partial void LogLost(ILogger logger, int? number, Exception exception);

    private sealed record Held(int Number, NpgsqlConnection Connection);
}
