using System.Collections.Concurrent;
using Gantry.Core.Data;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Core.Tests.Data;

/// <summary>kill -9 of everything there is, and what was acknowledged is still there.</summary>
[Trait("Speed", "Slow")]
public sealed class LocalPostgresCrashTests : LocalPostgresFixture
{
    [Fact]
    public async Task KillPostgres_WhileRowsAreWritten_ComesBackWithEveryAcknowledgedRow()
    {
        await using var postgres = await StartAsync();
        await AskAsync<object>(postgres, "CREATE TABLE t (n int PRIMARY KEY)");
        await using var pool = NpgsqlDataSource.Create(postgres.ConnectionString);
        ConcurrentBag<int> acknowledged = [];
        var next = 0;
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var n = Interlocked.Increment(ref next);
                try
                {
                    await using var command = pool.CreateCommand($"INSERT INTO t VALUES ({n})");
                    await command.ExecuteNonQueryAsync();
                    acknowledged.Add(n);
                }
                catch (NpgsqlException)
                {
                    await Task.Delay(20); // down
                }
            }
        })).ToArray();

        for (var kill = 0; kill < 3; kill++)
        {
            var before = acknowledged.Count;
            await UntilAsync(() => acknowledged.Count > before + 50, "50 more rows");
            var back = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            postgres.Restarted += (_, _) => back.TrySetResult();
            Assert.True(Posix.Signal(postgres.ProcessId, Posix.Sigkill));
            await back.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }

        var last = acknowledged.Count;
        await UntilAsync(() => acknowledged.Count > last + 50, "50 more rows");
        await stop.CancelAsync();
        await Task.WhenAll(writers);
        var kept = await AskAsync<int[]>(postgres, "SELECT array_agg(n) FROM t");
        Assert.Empty(acknowledged.Except(kept));
    }

    [Fact]
    public async Task KillPostgres_WithThePoolClearedAtRestarted_FailsNoLaterQuestion()
    {
        await using var postgres = await StartAsync();
        await using var pool = NpgsqlDataSource.Create(postgres.ConnectionString);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => pool.CreateCommand("SELECT pg_sleep(0.1)").ExecuteScalarAsync()));
        var back = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        postgres.Restarted += (_, _) => pool.Clear();
        postgres.Restarted += (_, _) => back.TrySetResult();

        Posix.Signal(postgres.ProcessId, Posix.Sigkill);
        await back.Task.WaitAsync(TimeSpan.FromSeconds(60));

        for (var i = 0; i < 5; i++) Assert.Equal(1, await pool.CreateCommand("SELECT 1").ExecuteScalarAsync());
    }

    [Fact]
    public async Task KillPostgres_UnderABusyStatement_EndsTheLeftoverAndComesBack()
    {
        await using var postgres = await StartAsync();
        await using var busy = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false;Command Timeout=0");
        await busy.OpenAsync();
        var backend = busy.ProcessID;
        await using var command = new NpgsqlCommand("SELECT count(*) FROM generate_series(1, 100000000000)", busy);
        var statement = command.ExecuteScalarAsync();
        await UntilAsync(() => File.ReadAllText($"/proc/{backend}/cmdline").Contains("SELECT"), "the statement runs");
        Assert.True(Posix.Signal(backend, 19)); // SIGSTOP: it cannot notice that its postmaster is gone

        var back = new TaskCompletionSource();
        postgres.Restarted += (_, _) => back.TrySetResult();
        Posix.Signal(postgres.ProcessId, Posix.Sigkill);
        try
        {
            await back.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }
        finally
        {
            Posix.Signal(backend, Posix.Sigkill); // or a failing test would wait for it for ever
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => statement);
        Assert.False(IsAlive(backend));
        Assert.Equal(1, await AskAsync<int>(postgres, "SELECT 1"));
    }

    [Fact]
    public async Task KillServer_NextStartAdoptsTheOrphan()
    {
        await using var server = await ServerProcess.StartAsync(DataRoot);
        await AskAsync<object>(server.ConnectionString, "CREATE TABLE t AS SELECT 42 AS n");
        await server.KillAsync();
        Assert.True(IsAlive(server.PostgresId));

        var postgres = await StartAsync();

        Assert.Equal(server.PostgresId, postgres.ProcessId);
        Assert.Equal(42, await AskAsync<int>(postgres, "SELECT n FROM t"));
        await postgres.DisposeAsync();
        Assert.False(IsAlive(server.PostgresId));
    }

    [Fact]
    public async Task KillAdoptedPostgres_ComesBack()
    {
        await using var server = await ServerProcess.StartAsync(DataRoot);
        await server.KillAsync();
        await using var postgres = await StartAsync();
        var back = new TaskCompletionSource();
        postgres.Restarted += (_, _) => back.TrySetResult();

        Posix.Signal(postgres.ProcessId, Posix.Sigkill);

        await back.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotEqual(server.PostgresId, postgres.ProcessId);
        Assert.Equal(1, await AskAsync<int>(postgres, "SELECT 1"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task KillBoth_NextStartRecovers(bool postgresFirst)
    {
        await using var server = await ServerProcess.StartAsync(DataRoot);
        await AskAsync<object>(server.ConnectionString, "CREATE TABLE t AS SELECT 42 AS n");
        if (postgresFirst) Posix.Signal(server.PostgresId, Posix.Sigkill);
        await server.KillAsync();
        foreach (var pid in ClusterProcesses.Find(Cluster)) Posix.Signal(pid, Posix.Sigkill);

        await using var postgres = await StartAsync();

        Assert.NotEqual(server.PostgresId, postgres.ProcessId);
        Assert.Equal(42, await AskAsync<int>(postgres, "SELECT n FROM t"));
    }

    [Fact]
    public async Task KillServer_ThenMoveItsFolder_NextStartStillFindsTheOrphan()
    {
        await using var server = await ServerProcess.StartAsync(DataRoot);
        await AskAsync<object>(server.ConnectionString, "CREATE TABLE t AS SELECT 42 AS n");
        await server.KillAsync();
        var moved = Path.Combine(Root, "moved");
        Directory.Move(DataRoot, moved);

        await using var postgres = await StartAsync(moved);

        Assert.Equal(42, await AskAsync<int>(postgres, "SELECT n FROM t"));
    }

    [Fact]
    public async Task KillServer_InTheMiddleOfInitdb_NextStartBeginsAfresh()
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            using var server = ServerProcess.Launch(DataRoot);
            await UntilAsync(() => Staging().Any(s => Directory.Exists(Path.Combine(s, "data", "base"))), "initdb is at work");
            server.Kill();
            await server.WaitForExitAsync();
            Assert.False(Directory.Exists(Cluster));
        }

        await using var postgres = await StartAsync();

        Assert.Equal(1, await AskAsync<int>(postgres, "SELECT 1"));
        Assert.Empty(Staging());
    }

    [Fact]
    public async Task Start_WithAStalePidFileThatNamesALivePostgresOfTheSameUser_Starts()
    {
        await (await StartAsync()).DisposeAsync();
        await using var other = await TestDatabase.CreateEmptyAsync();
        var alive = await AskAsync<int>(other.ConnectionString, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int");
        await File.WriteAllTextAsync(Path.Combine(Cluster, "postmaster.pid"), $"{alive}\n/proc/self/fd/9\n1\n5432\n/proc/self/fd/9\n\n1 1\nready\n");

        await using var postgres = await StartAsync();

        Assert.NotEqual(alive, postgres.ProcessId);
        Assert.Equal(1, await AskAsync<int>(postgres, "SELECT 1"));
    }

    [Fact]
    public async Task KillPostgres_WhileItCannotStart_IsTriedAgainUntilItCan()
    {
        await using var postgres = await StartAsync();
        var control = Path.Combine(Cluster, "global", "pg_control");
        var back = new TaskCompletionSource();
        postgres.Restarted += (_, _) => back.TrySetResult();
        File.Move(control, control + ".away");

        var pid = postgres.ProcessId;
        Posix.Signal(pid, Posix.Sigkill);
        var log = Path.Combine(DataRoot, "postgres.log");
        await UntilAsync(() => File.ReadAllText(log).Contains("could not find the database system"), "a start that failed");
        Assert.False(back.Task.IsCompleted);
        File.Move(control + ".away", control);

        await back.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(1, await AskAsync<int>(postgres, "SELECT 1"));
    }

    [Fact]
    public async Task Dispose_WhilePostgresIsDown_Ends()
    {
        var postgres = await StartAsync();
        Posix.Signal(postgres.ProcessId, Posix.Sigkill);
        await postgres.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        await UntilAsync(() => ClusterProcesses.Find(Cluster).Count == 0, "everything has ended");
    }

    private string[] Staging() => Directory.Exists(DataRoot) ? Directory.GetDirectories(DataRoot, "postgres.new-*") : [];
}
