using Gantry.Cli.Tests.Kit;
using Gantry.TestKit;

namespace Gantry.Cli.Tests;

/// <summary>gantry on a real terminal: containers, questions, bars, and how it leaves the terminal behind. Needs root and runc.</summary>
[Trait("Speed", "Slow")]
[Collection(ContainersCollection.Name)]
public sealed class TerminalTests(Bench bench) : IAsyncDisposable
{
    private readonly GantryRuns _gantry = new(bench);

    [Fact]
    public async Task RunIt_TypedWords_ReachTheProgramAndItsCodeComesBack()
    {
        await _gantry.HavePulledAsync();
        await using var terminal = new TerminalRun(_gantry, 80, 24, $"$G run --rm -it -q {bench.Box} sh -c 'tty; echo term $TERM; read x; echo got $x; exit 9'");
        await terminal.UntilAsync("term xterm");
        await terminal.TypeAsync("some words\r");
        await terminal.UntilAsync("got some words");
        Assert.Equal(9, await terminal.EndAsync());
        Assert.Contains("/dev/pts/", terminal.Seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunIt_SizeCtrlCAndSigterm_AreTheProgramsOwn()
    {
        await _gantry.HavePulledAsync();
        const string program = "trap \"stty size\" WINCH; trap \"echo int\" INT; trap \"exit 43\" TERM; echo ready; while :; do sleep 0.1; done";
        await using var terminal = new TerminalRun(_gantry, 70, 20, $"echo $$ >pid; exec $G run --rm -it -q {bench.Box} sh -c '{program}'");
        await terminal.UntilAsync("ready");
        await GantryRuns.ToolAsync("stty", "-F", (await File.ReadAllTextAsync(_gantry.Path("tty"))).Trim(), "cols", "101", "rows", "31");
        await terminal.UntilAsync("31 101");
        await terminal.TypeAsync("\u0003");
        await terminal.UntilAsync("int");
        await GantryRuns.ToolAsync("kill", "-TERM", (await File.ReadAllTextAsync(_gantry.Path("pid"))).Trim());
        Assert.Equal(43, await terminal.EndAsync());
    }

    [Fact]
    public async Task Run_CtrlCWithoutATerminalOfItsOwn_ReachesTheProgram()
    {
        await _gantry.HavePulledAsync();
        await using var terminal = new TerminalRun(_gantry, 80, 24, $"exec $G run --rm -q {bench.Box} sh -c 'trap \"echo int; exit 42\" INT; echo ready; while :; do sleep 0.1; done' </dev/null");
        await terminal.UntilAsync("ready");
        await terminal.TypeAsync("\u0003");
        await terminal.UntilAsync("int");
        Assert.Equal(42, await terminal.EndAsync());
    }

    [Fact]
    public async Task Login_AtATerminal_AsksAndShowsNoPassword()
    {
        await using var terminal = new TerminalRun(_gantry, 80, 24, $"$G login {bench.Host}; echo code $?; stty -a");
        await terminal.UntilAsync("Username: ");
        await terminal.TypeAsync("admin\r");
        await terminal.UntilAsync("Password: ");
        await terminal.TypeAsync($"{RegistryServer.Password}\r");
        await terminal.UntilAsync("Login succeeded");
        await terminal.UntilAsync("code 0");
        await terminal.EndAsync();
        Assert.DoesNotContain(RegistryServer.Password, terminal.Seen, StringComparison.Ordinal);
        Assert.Contains(" echo ", terminal.Seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_CtrlCAtThePassword_EndsItAndBringsTheEchoBack()
    {
        await using var terminal = new TerminalRun(_gantry, 80, 24, $"trap : INT; $G login -u admin {bench.Host}; echo code $?; stty -a");
        await terminal.UntilAsync("Password: ");
        await terminal.TypeAsync("half\u0003");
        await terminal.UntilAsync("code 130");
        await terminal.EndAsync();
        Assert.Contains(" echo ", terminal.Seen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80, 24)]
    [InlineData(40, 4)]
    public async Task Pull_OnATerminal_EndsWithALineALayer(int columns, int rows)
    {
        await using var terminal = new TerminalRun(_gantry, columns, rows, $"$G pull {bench.Box} >out");
        Assert.Equal(0, await terminal.EndAsync());
        var shown = TerminalScreen.Lines(terminal.Seen, columns, rows);
        Assert.Equal(2, shown.Count(line => line.EndsWith(": Pull complete", StringComparison.Ordinal)));
        Assert.StartsWith("Status: downloaded", shown[2], StringComparison.Ordinal);
        Assert.StartsWith($"{bench.Host}/team/box@sha256:", await File.ReadAllTextAsync(_gantry.Path("out")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_CtrlC_Ends130AndLeavesNoName()
    {
        var isAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var proxy = await ReverseProxy.StartAsync(bench.Server.Address);
        proxy.Faults = request =>
        {
            if (!request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal)) return null;
            isAsked.TrySetResult();
            return ProxyFault.Hang;
        };
        await using var terminal = new TerminalRun(_gantry, 80, 24, $"trap : INT; $G pull {proxy.Address.Authority}/team/box:1; echo code $?");
        await isAsked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await terminal.TypeAsync("\u0003");
        await terminal.UntilAsync("gantry: interrupted");
        await terminal.UntilAsync("code 130");
        await terminal.EndAsync();
        Assert.Equal("", (await _gantry.GoodAsync("images", "-q")).Output);
    }

    public ValueTask DisposeAsync() => _gantry.DisposeAsync();
}
