using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gantry.Core.Data;

/// <summary>
/// Brings a database forward to the schema of this program. Any number of nodes may start at once: one migrates under
/// an advisory lock, the others wait and find nothing left to do.
/// </summary>
/// <remarks>
/// Each file runs in a transaction of its own together with its row in <c>schema_migrations</c>, so a kill leaves a
/// file applied or not, never half. The lock belongs to a session: give a data source that connects to PostgreSQL
/// itself, not through a pooler in transaction mode.
/// </remarks>
public sealed partial class MigrationRunner
{
    internal const int OldestServer = 13;

    // PostgreSQL looks for a deadlock after a second of waiting.
    private const int Attempts = 10;

    // Any number will do, as long as every version of the program asks for the same: "gantry" in ASCII.
    private const long LockKey = 0x67616e747279;

    private readonly IReadOnlyList<Migration> migrations;
    private readonly ILogger<MigrationRunner> logger;

    public MigrationRunner(ILogger<MigrationRunner> logger) : this(Migration.Embedded(), logger)
    {
    }

    internal MigrationRunner(IReadOnlyList<Migration> migrations, ILogger<MigrationRunner> logger)
    {
        this.migrations = migrations;
        this.logger = logger;
    }

    /// <summary>Returns how many files were applied: 0 where the database was up to date.</summary>
    /// <exception cref="MigrationException">The database does not fit this program; nothing was changed by the file named.</exception>
    public async Task<int> RunAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await RefuseUnfitServerAsync(connection, ct);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", ct);
        try
        {
            var applied = await ReadAppliedAsync(connection, ct);
            RefuseUnknownHistory(applied);
            foreach (var migration in migrations.Skip(applied.Count)) await ApplyAsync(connection, migration, ct);
            LogUpToDate(logger, migrations.Count, migrations.Count - applied.Count);
            return migrations.Count - applied.Count;
        }
        finally
        {
            // The session goes back to a pool and would keep the lock. If it broke, the lock went with it.
            if (connection.FullState.HasFlag(System.Data.ConnectionState.Open))
            {
                await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None);
            }
        }
    }

    private static async Task RefuseUnfitServerAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (connection.PostgreSqlVersion.Major < OldestServer)
        {
            throw new MigrationException(
                $"The database server is PostgreSQL {connection.PostgreSqlVersion}; {OldestServer} or later is needed.");
        }

        await using var command = new NpgsqlCommand("SHOW server_encoding", connection);
        var encoding = (string?)await command.ExecuteScalarAsync(ct);
        if (encoding != "UTF8")
        {
            throw new MigrationException(
                $"The database {connection.Database} has the encoding {encoding}; UTF8 is needed: CREATE DATABASE " +
                $"{connection.Database} ENCODING 'UTF8' TEMPLATE template0.");
        }
    }

    private static async Task<IReadOnlyList<Applied>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await ExecuteAsync(connection,
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
              version int PRIMARY KEY,
              name text NOT NULL,
              checksum text NOT NULL,
              applied_at timestamptz NOT NULL DEFAULT now())
            """, ct);

        List<Applied> applied = [];
        await using var command = new NpgsqlCommand("SELECT version, name, checksum FROM schema_migrations ORDER BY version", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) applied.Add(new Applied(reader.GetInt32(0), reader.GetString(1), reader.GetString(2)));
        return applied;
    }

    private void RefuseUnknownHistory(IReadOnlyList<Applied> applied)
    {
        if (applied.Count > 0 && applied[^1].Version > migrations.Count)
        {
            throw new MigrationException(
                $"The database is newer than this program: it has migration {applied[^1].Version:D4}_{applied[^1].Name}, and " +
                $"this program knows {migrations.Count}. Start the newer version, or restore a backup from before the upgrade.");
        }

        for (var i = 0; i < applied.Count; i++)
        {
            if (applied[i].Version == migrations[i].Version && applied[i].Checksum == migrations[i].Checksum) continue;
            throw new MigrationException(
                $"The database has migration {applied[i].Version:D4}_{applied[i].Name}, which differs from this program's " +
                $"{migrations[i].FileName}: a released migration was edited, or the database belongs to another build.");
        }
    }

    // Nodes of the version before go on writing. A file locks what they write in their order; who takes another one (garbage collection does) may make
    // PostgreSQL end either of them, and both begin again.
    private async Task ApplyAsync(NpgsqlConnection connection, Migration migration, CancellationToken ct)
    {
        for (var attempt = 1; !await TryApplyAsync(connection, migration, mayFail: attempt < Attempts, ct); attempt++)
        {
            LogAgain(logger, migration.FileName, attempt);
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(10, 100 * attempt)), TimeProvider.System, ct);
        }

        LogApplied(logger, migration.FileName);
    }

    /// <summary>False: it was rolled back for the sake of another transaction.</summary>
    private static async Task<bool> TryApplyAsync(NpgsqlConnection connection, Migration migration, bool mayFail, CancellationToken ct)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await ExecuteAsync(connection, migration.Sql, ct);
            await using var command = new NpgsqlCommand(
                "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)", connection, transaction)
            {
                Parameters = { new() { Value = migration.Version }, new() { Value = migration.Name }, new() { Value = migration.Checksum } },
            };
            await command.ExecuteNonQueryAsync(ct);
            await transaction.CommitAsync(ct);
            return true;
        }
        catch (PostgresException e) when (mayFail && e.SqlState == PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
        catch (PostgresException e)
        {
            throw new MigrationException($"Migration {migration.FileName} failed and was rolled back: {e.MessageText} ({e.SqlState})", e);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        // No time limit: waiting for another node, or rewriting a large table, takes as long as it takes.
#pragma warning disable CA2100 // our own files and constants
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed record Applied(int Version, string Name, string Checksum);

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied migration {Migration}")]
    private static partial void LogApplied(ILogger logger, string migration);

    [LoggerMessage(Level = LogLevel.Information, Message = "Migration {Migration} gave way to other nodes and begins again (attempt {Attempt} ended)")]
    private static partial void LogAgain(ILogger logger, string migration, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "The database has all {Known} migrations ({Applied} applied now)")]
    private static partial void LogUpToDate(ILogger logger, int known, int applied);
}
