using Npgsql;

namespace Gantry.TestKit;

/// <summary>A fresh database for one test, dropped (with whoever is still connected) when disposed.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string administration;

    private TestDatabase(string name, string administration)
    {
        this.administration = administration;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(administration) { Database = name, MaxPoolSize = 40 }.ConnectionString;
        DataSource = NpgsqlDataSource.Create(ConnectionString);
    }

    public string Name { get; }

    public string ConnectionString { get; }

    /// <summary>A pool on this database, for the test's own questions.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>All migrations applied, no rows.</summary>
    public static async Task<TestDatabase> CreateAsync() => await CreateAsync($"TEMPLATE \"{await PostgresCluster.TemplateAsync()}\"");

    /// <summary>No tables at all.</summary>
    /// <param name="clauses">Of CREATE DATABASE.</param>
    public static async Task<TestDatabase> CreateEmptyAsync(string clauses = "TEMPLATE template0") => await CreateAsync(clauses);

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await AdministerAsync(administration, $"DROP DATABASE IF EXISTS \"{Name}\" WITH (FORCE)");
    }

    private static async Task<TestDatabase> CreateAsync(string clauses)
    {
        var connection = await PostgresCluster.AdministrationAsync();
        var name = $"test_{Guid.NewGuid():N}";
        await AdministerAsync(connection, $"CREATE DATABASE \"{name}\" {clauses}");
        return new TestDatabase(name, connection);
    }

    private static async Task AdministerAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
#pragma warning disable CA2100 // names made here
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
