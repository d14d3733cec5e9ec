using System.Text;
using Gantry.Cli.Tests.Kit;

namespace Gantry.Cli.Tests;

/// <summary>Containers by runc, of an image from the real server. Needs root and runc.</summary>
[Trait("Speed", "Slow")]
[Collection(ContainersCollection.Name)]
public sealed class RunCommandTests(Bench bench) : IAsyncLifetime
{
    private readonly GantryRuns _gantry = new(bench);

    public async ValueTask InitializeAsync() => await _gantry.HavePulledAsync();

    [Fact]
    public async Task Run_WithoutACommand_RunsTheImages() => Assert.Equal("default\n", (await _gantry.GoodAsync("run", "--rm", bench.Box)).Output);

    [Fact]
    public async Task Run_ExitCode_IsTheContainers()
    {
        Assert.Equal(7, (await _gantry.RunAsync("run", "--rm", bench.Box, "sh", "-c", "exit 7")).Code);
        Assert.Equal(1, (await _gantry.RunAsync("run", "--rm", bench.Box, "sh", "-c", "exit 1")).Code);
        Assert.Equal(127, (await _gantry.RunAsync("run", "--rm", bench.Box, "no-such-program")).Code);
        Assert.Equal(126, (await _gantry.RunAsync("run", "--rm", bench.Box, "/etc/passwd")).Code);
        Assert.Equal(125, (await _gantry.RunAsync("run", "--rm", "--runtime", "no-such-runtime", bench.Box)).Code);
        Assert.Equal(125, (await _gantry.RunAsync("run", "--rm", $"{bench.Host}/team/none")).Code);

        // The runtime's own failure: a file cannot be shown where a folder is.
        Assert.Equal(125, (await _gantry.RunAsync("run", "--rm", "-v", "/etc/passwd:/work", bench.Box)).Code);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_gantry.Store, "containers")));
    }

    [Fact]
    [Trait("Pull", "B10")]
    public async Task Run_Environment_IsTheImagesAndTheOptions()
    {
        _gantry.Environment["FROM_HERE"] = "here";
        var lines = (await _gantry.GoodAsync("run", "--rm", "-e", "GREETING=bye", "-e", "FROM_HERE", "-e", "NOT_SET_HERE", "-e", "EMPTY=", bench.Box, "env")).Lines;
        Assert.Contains("GREETING=bye", lines);
        Assert.Contains("FROM_HERE=here", lines);
        Assert.Contains("EMPTY=", lines);
        Assert.Contains("HOME=/from/image", lines);
        Assert.Contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("NOT_SET_HERE", StringComparison.Ordinal) || line.StartsWith("TERM", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_Volume_ShowsTheMachinesFolder()
    {
        Directory.CreateDirectory(_gantry.Path("shared"));
        await File.WriteAllTextAsync(_gantry.Path("shared/in"), "from outside");
        var writable = await _gantry.GoodAsync("run", "--rm", "-v", "./shared:/mnt/shared", bench.Box, "sh", "-c", "cat /mnt/shared/in; echo written >/mnt/shared/out");
        Assert.Equal("from outside", writable.Output);
        Assert.Equal("written\n", await File.ReadAllTextAsync(_gantry.Path("shared/out")));
        var readOnly = await _gantry.RunAsync("run", "--rm", "-v", $"{_gantry.Path("shared")}:/mnt:ro", bench.Box, "touch", "/mnt/x");
        Assert.Equal(1, readOnly.Code);
        Assert.False(File.Exists(_gantry.Path("shared/x")));
        Assert.Equal(125, (await _gantry.RunAsync("run", "--rm", "-v", "/does/not/exist:/mnt", bench.Box)).Code);
        Assert.Equal(125, (await _gantry.RunAsync("run", "--rm", "-v", "named:/mnt", bench.Box)).Code);
    }

    [Theory]
    [InlineData("app", "uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)")]
    [InlineData("1000", "uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)")]
    [InlineData("app:extra", "uid=1000(app) gid=2000(extra) groups=2000(extra)")]
    [InlineData("4242:17", "uid=4242 gid=17 groups=17")]
    [Trait("Pull", "B10")]
    public async Task Run_User_IsLookedUpInTheImage(string user, string expected) =>
        Assert.Equal(expected, (await _gantry.GoodAsync("run", "--rm", "-u", user, bench.Box, "id")).Output.Trim());

    [Fact]
    public async Task Run_WorkdirEntrypointAndReadOnly_AreAsAsked()
    {
        Assert.Equal("/work\n", (await _gantry.GoodAsync("run", "--rm", bench.Box, "sh", "-c", "pwd")).Output);
        Assert.Equal("/etc\n", (await _gantry.GoodAsync("run", "--rm", "-w", "/tmp/../etc", bench.Box, "sh", "-c", "pwd")).Output);
        Assert.Equal("-q x\n", (await _gantry.GoodAsync("run", "--rm", "--entrypoint", "echo", bench.Box, "-q", "x")).Output);
        Assert.Equal(1, (await _gantry.RunAsync("run", "--rm", "--read-only", bench.Box, "touch", "/x")).Code);
        Assert.Equal("upper", (await _gantry.GoodAsync("run", "--rm", bench.Box, "sh", "-c", "test ! -e /etc/gone && cat /etc/stays")).Output);
    }

    [Fact]
    public async Task Run_Network_NoneHasLoopbackAloneAndHostIsTheMachines()
    {
        var none = await _gantry.GoodAsync("run", "--rm", bench.Box, "ip", "-o", "link");
        Assert.Contains("lo:", Assert.Single(none.Lines), StringComparison.Ordinal);
        var host = await _gantry.GoodAsync("run", "--rm", "--network", "host", bench.Box, "ls", "/sys/class/net");
        Assert.Equal(Directory.GetFileSystemEntries("/sys/class/net").Select(Path.GetFileName).Order(StringComparer.Ordinal), host.Lines.Order(StringComparer.Ordinal));
        Assert.Equal("box\n", (await _gantry.GoodAsync("run", "--rm", "--name", "box", bench.Box, "hostname")).Output);
        Assert.Equal("127.0.0.1\tlocalhost box", (await _gantry.GoodAsync("run", "--rm", "--name", "box", bench.Box, "cat", "/etc/hosts")).Lines[0]);
    }

    [Fact]
    public async Task Run_Input_IsPassedOnOnlyIfAsked()
    {
        var input = Encoding.UTF8.GetBytes("some input");
        Assert.Equal("some input", (await _gantry.RunAsync(input, "run", "--rm", "-i", bench.Box, "cat")).Output);
        Assert.Equal("", (await _gantry.RunAsync(input, "run", "--rm", bench.Box, "cat")).Output);
        Assert.Equal(125, (await _gantry.RunAsync("run", "--rm", "-t", bench.Box)).Code);
    }

    [Fact]
    public async Task Run_WithoutRm_KeepsWhatChangedUntilPrune()
    {
        await _gantry.GoodAsync("run", "--name", "kept", bench.Box, "sh", "-c", "echo changed >/etc/stays");
        var folder = Path.Combine(_gantry.Store, "containers", "kept");
        Assert.Equal("changed\n", await File.ReadAllTextAsync(Path.Combine(folder, "bundle", "upper", "etc", "stays")));
        Assert.Equal(125, (await _gantry.RunAsync("run", "--name", "kept", bench.Box)).Code);
        Assert.DoesNotContain(folder, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.Contains("1 container", (await _gantry.GoodAsync("prune")).Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
        Assert.Equal("upper", (await _gantry.GoodAsync("run", "--rm", bench.Box, "cat", "/etc/stays")).Output);
    }

    [Fact]
    public async Task Run_Signal_ReachesTheContainer()
    {
        using var process = _gantry.Start("run", "--rm", bench.Box, "sh", "-c", "trap 'echo got it; exit 42' TERM; echo ready; while :; do sleep 0.1; done");
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());

        // What runs is not pruned away.
        Assert.Contains(" 0 containers", (await _gantry.GoodAsync("prune")).Output, StringComparison.Ordinal);
        await GantryRuns.ToolAsync("kill", "-TERM", process.Id.ToString());
        Assert.Equal("got it", await process.StandardOutput.ReadLineAsync());
        await process.WaitForExitAsync();
        Assert.Equal(42, process.ExitCode);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_gantry.Store, "containers")));
    }

    [Fact]
    public async Task Run_WordsOfTheContainer_AreLeftAlone() =>
        Assert.Equal("@/etc/hosts -e --rm\n", (await _gantry.GoodAsync("run", "--rm", bench.Box, "echo", "@/etc/hosts", "-e", "--rm")).Output);

    [Fact]
    public async Task Run_EnvironmentFile_ComesBeforeTheOptions()
    {
        await File.WriteAllTextAsync(_gantry.Path("env"), "# of the test\nONE=1\n\nTWO=file\nFROM_HERE\n");
        _gantry.Environment["FROM_HERE"] = "here";
        var lines = (await _gantry.GoodAsync("run", "--rm", "--env-file", "env", "-e", "TWO=2", bench.Box, "env")).Lines;
        Assert.Equal(["FROM_HERE=here", "ONE=1", "TWO=2"], lines.Where(line => line.StartsWith("ONE", StringComparison.Ordinal) || line.StartsWith("TWO", StringComparison.Ordinal) || line.StartsWith("FROM", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(125, (await _gantry.RunAsync("run", "--rm", "--env-file", "none", bench.Box, "env")).Code);
    }

    /// <summary>Needs crun. It refuses machines with both generations of cgroups in use, so it gets a view of this one without the newer.</summary>
    [Fact]
    public async Task Run_ByCrun_IsTheSame()
    {
        const string program = "id -u; no-such-program 2>/dev/null; exit 7";
        async Task<GantryResult> ByCrunAsync(params string[] words)
        {
            var inner = $"! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified; exec {GantryRuns.ProgramLine} run --rm --runtime crun --runtime-flag cgroup-manager=disabled \"$@\"";
            using var process = _gantry.StartOther("unshare", ["-m", "sh", "-c", inner, "sh", bench.Box, .. words]);
            return await GantryRuns.EndAsync(process);
        }

        var ran = await ByCrunAsync("sh", "-c", program);
        Assert.True(ran.Code == 7, ran.Errors);
        Assert.Equal("0\n", ran.Output);
        Assert.Equal(127, (await ByCrunAsync("no-such-program")).Code);
        Assert.Equal(126, (await ByCrunAsync("/etc/passwd")).Code);
    }

    public ValueTask DisposeAsync() => _gantry.DisposeAsync();
}
