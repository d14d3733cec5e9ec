using Gantry.Core.Data;
using Npgsql;

namespace Gantry.Core.Tests.Data;

[Trait("Speed", "Slow")]
public sealed class LocalPostgresStartTests : LocalPostgresFixture
{
    [Fact]
    public async Task Start_FirstTime_MakesADurableUtf8ClusterOnASocketAlone()
    {
        await using var postgres = await StartAsync(durable: true);

        Assert.Equal("UTF8", await AskAsync<string>(postgres, "SHOW server_encoding"));
        Assert.Equal("on", await AskAsync<string>(postgres, "SHOW data_checksums"));
        Assert.Equal("on", await AskAsync<string>(postgres, "SHOW fsync"));
        Assert.Equal("on", await AskAsync<string>(postgres, "SHOW synchronous_commit"));
        Assert.Equal("on", await AskAsync<string>(postgres, "SHOW full_page_writes"));
        Assert.Equal("", await AskAsync<string>(postgres, "SHOW listen_addresses"));
        Assert.Equal("gantry", await AskAsync<string>(postgres, "SELECT current_database()"));
    }

    [Fact]
    public async Task Start_SecondTime_KeepsTheRows()
    {
        await using (var first = await StartAsync()) await AskAsync<object>(first, "CREATE TABLE t AS SELECT 42 AS n");
        await using var second = await StartAsync();
        Assert.Equal(42, await AskAsync<int>(second, "SELECT n FROM t"));
    }

    [Fact]
    public async Task Dispose_StopsPostgresAndLeavesNoPidFileOrSocket()
    {
        var postgres = await StartAsync();
        var pid = postgres.ProcessId;
        await using var session = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await session.OpenAsync(); // a fast shutdown waits for nobody

        await postgres.DisposeAsync();

        Assert.False(IsAlive(pid));
        Assert.Empty(ClusterProcesses.Find(Cluster));
        Assert.False(File.Exists(Path.Combine(Cluster, "postmaster.pid")));
        Assert.False(File.Exists(Path.Combine(Cluster, ".s.PGSQL.5432")));
    }

    [Fact]
    public async Task Start_RunsInASessionOfItsOwn_SoCtrlCDoesNotReachIt()
    {
        await using var postgres = await StartAsync();
        var afterName = (await File.ReadAllTextAsync($"/proc/{postgres.ProcessId}/stat")).Split(") ")[1].Split(' ');
        Assert.Equal(postgres.ProcessId, int.Parse(afterName[2])); // process group
        Assert.Equal(postgres.ProcessId, int.Parse(afterName[3])); // session
    }

    [Fact]
    public async Task Start_GivesPostgresNothingOfTheServersEnvironment()
    {
        await using var server = await ServerProcess.StartAsync(DataRoot);
        Assert.Contains("GANTRY_TEST_SECRET", await File.ReadAllTextAsync($"/proc/{server.Id}/environ"));
        Assert.DoesNotContain("GANTRY_TEST_SECRET", await File.ReadAllTextAsync($"/proc/{server.PostgresId}/environ"));
    }

    [Fact]
    public async Task Start_WhileAnotherProcessHoldsTheFolder_Refuses()
    {
        await using var server = await ServerProcess.StartAsync(DataRoot);

        var message = await RefusalAsync();

        Assert.Contains("already using the data folder", message);
        Assert.Contains($"process {server.Id}", message);
        Assert.Equal(1, await AskAsync<int>(server.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task Start_TwiceInOneProcess_Refuses()
    {
        await using var first = await StartAsync();
        Assert.Contains("already using", await RefusalAsync());
        Assert.Equal(1, await AskAsync<int>(first, "SELECT 1"));
    }

    [Fact]
    public async Task Join_WhileAServerRuns_UsesItsDatabaseAndLeavesItRunning()
    {
        await using var server = await ServerProcess.StartAsync(DataRoot);

        await using (var joined = await StartAsync(join: true))
        {
            await AskAsync<object>(joined, "CREATE TABLE t AS SELECT 42 AS n");
        }

        Assert.Equal(42, await AskAsync<int>(server.ConnectionString, "SELECT n FROM t"));
    }

    [Fact]
    public async Task Connect_AsksForThePassword_AndTheSocketIsClosedToOthers()
    {
        await using var postgres = await StartAsync();

        var guess = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Password = "guess" }.ConnectionString;
        var e = await Assert.ThrowsAsync<PostgresException>(() => AskAsync<int>(guess, "SELECT 1"));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, e.SqlState);
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(owner, File.GetUnixFileMode(Cluster));
        Assert.Equal(owner, File.GetUnixFileMode(Path.Combine(Cluster, ".s.PGSQL.5432")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Cluster, "gantry-password")));
    }

    [Fact]
    public async Task Start_AfterTheFolderWasMoved_KeepsTheRows()
    {
        await using (var first = await StartAsync()) await AskAsync<object>(first, "CREATE TABLE t AS SELECT 42 AS n");
        var moved = Path.Combine(Root, "moved");
        Directory.Move(DataRoot, moved);
        await using var second = await StartAsync(moved);
        Assert.Equal(42, await AskAsync<int>(second, "SELECT n FROM t"));
    }

    [Theory]
    [InlineData("a-folder-name-that-is-long-enough-to-leave-no-room-for-a-socket-in-the-hundred-and-seven-bytes-of-its-address")]
    [InlineData("a folder, with: 'odd' $(characters) \"и юникод\"")]
    public async Task Start_WhereNoSocketFits_PutsItIntoAPrivateFolderElsewhere(string name)
    {
        var dataRoot = Path.Combine(Root, name);
        string socket;
        await using (var postgres = await StartAsync(dataRoot))
        {
            Assert.Equal(1, await AskAsync<int>(postgres, "SELECT 1"));
            socket = new NpgsqlConnectionStringBuilder(postgres.ConnectionString).Host!;
            Assert.DoesNotContain(name, socket);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(socket));
        }

        Assert.False(Directory.Exists(socket));
    }

    [Theory]
    [InlineData(0b111_101_101, true)]
    [InlineData(0b111_000_000, false)]
    public async Task Start_WhereTheSocketsFolderIsOpenToOthersOrTheirs_Refuses(int mode, bool ours)
    {
        var dataRoot = Path.Combine(Root, "with space");
        string socket;
        await using (var postgres = await StartAsync(dataRoot)) socket = new NpgsqlConnectionStringBuilder(postgres.ConnectionString).Host!;
        Directory.CreateDirectory(socket, (UnixFileMode)mode);
        var owner = Posix.Identify(Path.Combine(dataRoot, "postgres"))!.Value;
        Posix.ChangeOwner(socket, ours ? owner.UserId : owner.UserId + 1, owner.GroupId);
        try
        {
            Assert.Contains("belongs to somebody else or is open to others", await RefusalAsync(dataRoot));
        }
        finally
        {
            Directory.Delete(socket);
        }
    }
}
