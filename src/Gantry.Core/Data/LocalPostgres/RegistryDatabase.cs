using Npgsql;

namespace Gantry.Core.Data;

/// <summary>The one database of the private cluster.</summary>
internal static class RegistryDatabase
{
    internal const string Name = "gantry";

    /// <summary>Connects, and makes the database where the first start got no further than initdb.</summary>
    internal static async Task EnsureAsync(string connectionString, CancellationToken ct)
    {
        // Unpooled: these connections are not needed again.
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        try
        {
            await using var probe = new NpgsqlConnection(builder.ConnectionString);
            await probe.OpenAsync(ct);
            return;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            builder.Database = "postgres";
        }

        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        await connection.OpenAsync(ct);
        await using var command = new NpgsqlCommand($"CREATE DATABASE {Name}", connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
