using Gantry.Core.Data;
using Gantry.TestKit;
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

    private static Task<int> RunAsync(TestDatabase database, params Migration[] migrations) =>
        new MigrationRunner(migrations, NullLogger<MigrationRunner>.Instance).RunAsync(database.DataSource, CancellationToken.None);

    private static async Task<T> ScalarAsync<T>(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
