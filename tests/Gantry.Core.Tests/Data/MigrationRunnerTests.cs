using Gantry.Core.Data;
using Gantry.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gantry.Core.Tests.Data;

public sealed class MigrationRunnerTests
{
    private static readonly Migration First = new(1, "first", "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);\n");
    private static readonly Migration Second = new(2, "second", "INSERT INTO a SELECT count(*) + 1 FROM a;");

    [Fact]
    public async Task Run_OnEmptyDatabase_AppliesEveryEmbeddedMigrationOnce()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        var runner = new MigrationRunner(NullLogger<MigrationRunner>.Instance);

        Assert.Equal(Migration.Embedded().Count, await runner.RunAsync(database.DataSource, CancellationToken.None));
        Assert.Equal(0, await runner.RunAsync(database.DataSource, CancellationToken.None));
        Assert.Equal((long)Migration.Embedded().Count, await ScalarAsync<long>(database, "SELECT count(*) FROM schema_migrations"));
    }

    [Fact]
    public async Task Run_ByFourNodesAtOnce_AppliesEachFileOnce()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        Migration slow = new(3, "slow", "SELECT pg_sleep(0.3); INSERT INTO a VALUES (3);");

        var counts = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => RunAsync(database, First, Second, slow))));

        Assert.Equal([0, 0, 0, 3], counts.Order());
        Assert.Equal(3L, await ScalarAsync<long>(database, "SELECT count(*) FROM a"));
    }

    [Fact]
    public async Task Run_WithNewFiles_AppliesTheNewOnesAlone()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        Assert.Equal(1, await RunAsync(database, First));
        Assert.Equal(1, await RunAsync(database, First, Second));
        Assert.Equal(2L, await ScalarAsync<long>(database, "SELECT count(*) FROM a"));
    }

    [Fact]
    public async Task Run_WithFailingFile_RollsItBackAndKeepsTheOnesBefore()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        Migration broken = new(2, "broken", "INSERT INTO a VALUES (7); INSERT INTO nowhere VALUES (1);");

        var e = await Assert.ThrowsAsync<MigrationException>(() => RunAsync(database, First, broken));

        Assert.Contains("0002_broken.sql", e.Message);
        Assert.Equal(1L, await ScalarAsync<long>(database, "SELECT count(*) FROM a"));
        Assert.Equal(1, await RunAsync(database, First, Second));
    }

    [Fact]
    public async Task Run_WithChangedChecksum_Refuses()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await RunAsync(database, First, Second);

        var e = await Assert.ThrowsAsync<MigrationException>(() => RunAsync(database, First with { Sql = First.Sql + "-- edited" }, Second));

        Assert.Contains("0001_first", e.Message);
        Assert.Contains("edited", e.Message);
    }

    [Fact]
    public async Task Run_WithOtherLineEnds_IsTheSameFile()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await RunAsync(database, First);
        Assert.Equal(0, await RunAsync(database, new Migration(1, "first", First.Sql.ReplaceLineEndings("\r\n"))));
    }

    [Fact]
    public async Task Run_OnNewerDatabase_Refuses()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await RunAsync(database, First, Second);

        var e = await Assert.ThrowsAsync<MigrationException>(() => RunAsync(database, First));

        Assert.Contains("newer than this program", e.Message);
        Assert.Contains("0002_second", e.Message);
    }

    [Fact]
    public async Task Run_OnDatabaseOfAnotherEncoding_Refuses()
    {
        await using var database = await TestDatabase.CreateEmptyAsync("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        var e = await Assert.ThrowsAsync<MigrationException>(() => RunAsync(database, First));
        Assert.Contains("UTF8", e.Message);
    }

    [Fact]
    public async Task Run_AfterRefusal_LeavesNoLockInThePool()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await RunAsync(database, First, Second);
        await Assert.ThrowsAsync<MigrationException>(() => RunAsync(database, First));

        // Another pool asks: the same one would reset its connection first, and so let go of the lock. Other tests' databases have locks of their own.
        await using var other = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = other.CreateCommand(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND d.datname = current_database()");
        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task Run_EndedForTheSakeOfAnotherTransaction_BeginsAgain()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await RunAsync(database, First, new Migration(2, "second", "CREATE TABLE b (n int)"));
        Migration third = new(3, "third", "INSERT INTO a VALUES (3); LOCK TABLE a IN SHARE ROW EXCLUSIVE MODE; LOCK TABLE b IN SHARE ROW EXCLUSIVE MODE;");
        var told = new Told();

        await using var other = await OlderNode.BeginAsync(database, "INSERT INTO b VALUES (1)");
        var run = Task.Run(() => new MigrationRunner([First, new Migration(2, "second", "CREATE TABLE b (n int)"), third], told).RunAsync(database.DataSource, default));
        await WaitingAsync(database, run);
        await other.EndAsync("INSERT INTO a VALUES (2)");

        Assert.Equal(1, await run);
        Assert.Equal(1, told.Count("begins again"));
        Assert.Equal(3L, await ScalarAsync<long>(database, "SELECT count(*) FROM a"));
    }

    /// <summary>What transactions of the version before do first and then: a push, the close of an upload to a new repository, a deletion.</summary>
    [Theory]
    [InlineData("INSERT INTO manifests (repository_id, digest, media_type, payload) VALUES (1, 'new', 'm', '')",
        "UPDATE blob_links SET touched_at = now(); INSERT INTO tags VALUES (1, 'new', 'new'); INSERT INTO tag_history (repository_id, name) VALUES (1, 'new'); INSERT INTO events (kind) VALUES ('push')")]
    [InlineData("INSERT INTO blobs (digest, size, location) VALUES ('new', 1, 'new')",
        "INSERT INTO namespaces (name) VALUES ('new'); INSERT INTO events (kind) VALUES ('namespace.create'); INSERT INTO repositories (name, namespace_id) VALUES ('new/app', 2); INSERT INTO blob_links (repository_id, digest) VALUES (2, 'new')")]
    [InlineData("SELECT 1 FROM manifests FOR UPDATE",
        "DELETE FROM tags; UPDATE manifests SET deleted_at = now(); INSERT INTO events (kind) VALUES ('manifest.delete')")]
    [InlineData("SELECT 1 FROM tags FOR UPDATE", "DELETE FROM tags; INSERT INTO events (kind) VALUES ('tag.delete')")]
    public async Task Run_WhileOlderNodesWrite_GoesOnBesideThem(string first, string then)
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await RunAsync(database, [.. Migration.Embedded().Take(3)]);
        await ScalarAsync<object>(database,
            """
            INSERT INTO namespaces (name) VALUES ('old');
            INSERT INTO repositories (name, namespace_id) VALUES ('old/app', 1);
            INSERT INTO blobs (digest, size, location) VALUES ('old', 1, 'old');
            INSERT INTO blob_links (repository_id, digest) VALUES (1, 'old');
            INSERT INTO manifests (repository_id, digest, media_type, payload) VALUES (1, 'old', 'm', '');
            INSERT INTO tags VALUES (1, 'old', 'old');
            """);
        var told = new Told();

        await using var other = await OlderNode.BeginAsync(database, first);
        var run = Task.Run(() => new MigrationRunner(Migration.Embedded(), told).RunAsync(database.DataSource, default));
        await WaitingAsync(database, run);
        await other.EndAsync(then);

        Assert.Equal(Migration.Embedded().Count - 3, await run);
        Assert.Equal(0, told.Count("begins again"));
    }

    /// <summary>Until the migration waits for a lock, or is done.</summary>
    private static async Task WaitingAsync(TestDatabase database, Task run)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!run.IsCompleted && await ScalarAsync<long>(database,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0)
        {
            await Task.Delay(5, limit.Token);
        }
    }

    private static Task<int> RunAsync(TestDatabase database, params Migration[] migrations) =>
        new MigrationRunner(migrations, NullLogger<MigrationRunner>.Instance).RunAsync(database.DataSource, CancellationToken.None);

    private static async Task<T> ScalarAsync<T>(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>A transaction that is never the one which PostgreSQL ends where two wait for each other.</summary>
    private sealed class OlderNode(NpgsqlConnection connection) : IAsyncDisposable
    {
        public static async Task<OlderNode> BeginAsync(TestDatabase database, string sql)
        {
            var node = new OlderNode(await database.DataSource.OpenConnectionAsync());
            await node.ExecuteAsync($"SET deadlock_timeout = '1h'; BEGIN; {sql}");
            return node;
        }

        public Task EndAsync(string sql) => ExecuteAsync($"{sql}; COMMIT");

        public ValueTask DisposeAsync() => connection.DisposeAsync();

        private async Task ExecuteAsync(string sql)
        {
#pragma warning disable CA2100 // statements of the tests
            await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync();
        }
    }

    private sealed class Told : ILogger<MigrationRunner>
    {
        private readonly List<string> _lines = [];

        public int Count(string text)
        {
            lock (_lines) return _lines.Count(line => line.Contains(text, StringComparison.Ordinal));
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines) _lines.Add(formatter(state, exception));
        }
    }
}
