using Gantry.Core.Data;

namespace Gantry.Core.Tests.Data;

/// <summary>Who runs it. These tests change users, so they need root, as test.sh has.</summary>
[Trait("Speed", "Slow")]
public sealed class LocalPostgresAccountTests : LocalPostgresFixture
{
    public LocalPostgresAccountTests() =>
        Assert.True(Posix.EffectiveUserId() == 0, "run these tests as root: they start servers as root and as nobody");

    [Fact]
    public async Task Start_AsRootBelowAPrivateHome_DropsRootAndOwnsTheSubfolderAlone()
    {
        File.SetUnixFileMode(Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using (var postgres = await StartAsync())
        {
            await AskAsync<object>(postgres, "CREATE TABLE t AS SELECT 42 AS n");
            Assert.DoesNotContain("0", UserIds(postgres.ProcessId));
            Assert.NotEqual(0u, Posix.Identify(Cluster)!.Value.UserId);
            Assert.Equal(0u, Posix.Identify(DataRoot)!.Value.UserId);
            Assert.Equal(0u, Posix.Identify(Path.Combine(DataRoot, "postgres.log"))!.Value.UserId);
        }

        await using var again = await StartAsync();
        Assert.Equal(42, await AskAsync<int>(again, "SELECT n FROM t"));
    }

    [Fact]
    public async Task Start_AsRootOnAClusterThatWasRestoredAsRoot_TakesItOver()
    {
        await using (var first = await StartAsync()) await AskAsync<object>(first, "CREATE TABLE t AS SELECT 42 AS n");
        foreach (var path in Directory.EnumerateFileSystemEntries(Cluster, "*", SearchOption.AllDirectories).Append(Cluster))
        {
            Posix.ChangeOwner(path, 0, 0);
        }

        await using var second = await StartAsync();
        Assert.Equal(42, await AskAsync<int>(second, "SELECT n FROM t"));
        Assert.DoesNotContain("0", UserIds(second.ProcessId));
    }

    [Theory]
    [InlineData("postgres:x:101:104::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh", 101u)]
    [InlineData("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh", 65534u)]
    public async Task Account_ForANewCluster_IsPostgresElseNobody(string passwd, uint expected)
    {
        var file = Path.Combine(Root, "passwd");
        await File.WriteAllTextAsync(file, passwd);
        Assert.Equal(expected, PostgresAccount.For(Cluster, file).UserId);
    }

    [Fact]
    public async Task Start_AsOrdinaryUser_RunsAsThatUser_AndRootLaterKeepsTheOwner()
    {
        var nobody = PostgresAccountOf("nobody");
        Directory.CreateDirectory(DataRoot);
        Posix.ChangeOwner(DataRoot, nobody.UserId, nobody.GroupId);
        File.SetUnixFileMode(Root, (UnixFileMode)0b111_101_101);
        string[] asNobody = ["setpriv", $"--reuid={nobody.UserId}", $"--regid={nobody.GroupId}", "--clear-groups", "--"];

        await using (var server = await ServerProcess.StartAsync(DataRoot, asNobody, CopyOfThisProgram()))
        {
            Assert.Null(server.Refusal);
            Assert.All(UserIds(server.PostgresId), id => Assert.Equal($"{nobody.UserId}", id));
            await AskAsync<object>(server.ConnectionString, "CREATE TABLE t AS SELECT 42 AS n");

            // its orphan is adopted by its own kind
            await server.KillAsync();
        }

        await using (var server = await ServerProcess.StartAsync(DataRoot, asNobody, CopyOfThisProgram()))
        {
            Assert.Null(server.Refusal);
            Assert.Equal(42, await AskAsync<int>(server.ConnectionString, "SELECT n FROM t"));
        }

        await using var asRoot = await StartAsync();
        Assert.All(UserIds(asRoot.ProcessId), id => Assert.Equal($"{nobody.UserId}", id));
    }

    [Fact]
    public async Task Start_AsOrdinaryUserOnAnothersCluster_RefusesAndSaysWhoseItIs()
    {
        await (await StartAsync()).DisposeAsync();
        var owner = Posix.Identify(Cluster)!.Value.UserId;
        var nobody = PostgresAccountOf("nobody");
        Posix.ChangeOwner(DataRoot, nobody.UserId, nobody.GroupId);
        Posix.ChangeOwner(Path.Combine(DataRoot, "server.lock"), nobody.UserId, nobody.GroupId);
        File.SetUnixFileMode(Root, (UnixFileMode)0b111_101_101);

        await using var server = await ServerProcess.StartAsync(
            DataRoot, ["setpriv", $"--reuid={nobody.UserId}", $"--regid={nobody.GroupId}", "--clear-groups", "--"], CopyOfThisProgram());

        Assert.Contains($"belongs to user id {owner}", server.Refusal);
    }

    // Of the four ids: real, effective, saved, file system.
    private static string[] UserIds(int pid) =>
        File.ReadLines($"/proc/{pid}/status").Single(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1..];

    private PostgresAccount PostgresAccountOf(string name)
    {
        var passwd = Path.Combine(Root, "passwd");
        File.WriteAllLines(passwd, File.ReadLines("/etc/passwd").Where(l => l.StartsWith(name + ":", StringComparison.Ordinal)));
        return PostgresAccount.For(Path.Combine(Root, "none"), passwd);
    }

    // The working copy may lie where nobody else can read it.
    private string CopyOfThisProgram()
    {
        var copy = Path.Combine(Root, "program");
        if (Directory.Exists(copy)) return copy;
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(AppContext.BaseDirectory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }
}
