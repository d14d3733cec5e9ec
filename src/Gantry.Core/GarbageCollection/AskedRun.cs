using Gantry.Core.Data;
using Npgsql;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// The one whole run that somebody asked for, among all nodes of a database. An advisory lock on a connection of its own says that it is under way: every
/// node sees it, and it ends with the node that runs. It holds back another such run and nothing else: reviews claim their rows, and the usual runs go on; so
/// does one whose connection broke, beside the next.
/// </summary>
public sealed class AskedRun(NpgsqlDataSource database)
{
    /// <summary>First half of the advisory lock's key: "gcru" in ASCII. The second is 0.</summary>
    private const int LockClass = 0x67637275;

    /// <summary>Null: one is under way, here or elsewhere. What is returned is disposed of at the end of the run.</summary>
    public async Task<IAsyncDisposable?> TryBeginAsync(CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var take = new NpgsqlCommand($"{NodePresence.Keepalive}; SELECT pg_try_advisory_lock({LockClass}, 0)", connection);
            if (await take.ExecuteScalarAsync(cancellationToken) is true) return new Held(connection);
        }
        catch
        {
            // Whoever gave up may have had it by then.
            await new Held(connection).DisposeAsync();
            throw;
        }

        await connection.DisposeAsync();
        return null;
    }

    /// <summary>Whether one is under way, here or elsewhere.</summary>
    public async Task<bool> IsUnderWayAsync(CancellationToken cancellationToken)
    {
        await using var ask = database.CreateCommand($"SELECT {NodePresence.IsHeld(LockClass, "0")}");
        return await ask.ExecuteScalarAsync(cancellationToken) is true;
    }

    private sealed class Held(NpgsqlConnection connection) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await using var held = connection;
            try
            {
                // In the pool the connection would keep it until somebody takes it out again.
                await using var release = new NpgsqlCommand($"SELECT pg_advisory_unlock({LockClass}, 0)", connection);
                await release.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch (Exception exception) when (DatabaseOutage.Is(exception) || exception is InvalidOperationException)
            {
                // The connection broke, and the lock went with it.
            }
        }
    }
}
