using System.Text;
using Gantry.Cli.Tests.Kit;
using Gantry.TestKit;

namespace Gantry.Cli.Tests;

/// <summary>Pulling and looking, as a process against the real server.</summary>
[Trait("Speed", "Slow")]
[Collection(BenchCollection.Name)]
public sealed class ImageCommandTests(Bench bench) : IAsyncDisposable
{
    private readonly GantryRuns _gantry = new(bench);

    [Fact]
    public async Task Pull_Ends_AndWhatItUnpackedIsSettledWithoutIt()
    {
        await _gantry.GoodAsync("pull", "-q", bench.Box);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (Pending().Length > 0) await Task.Delay(20, limit.Token);
    }

    [Fact]
    public async Task Pull_OntoAFileSystemInMemory_LeavesNothingToSettle()
    {
        var store = $"/dev/shm/gantry-{Guid.NewGuid():N}";
        try
        {
            await _gantry.GoodAsync("--root", store, "pull", "-q", bench.Box);
            Assert.Empty(Directory.GetFiles(Path.Combine(store, "pending"), "*", SearchOption.AllDirectories));
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }

    [Fact]
    public async Task Settle_WaitsForWhatIsPending_AndMakesNoStore()
    {
        await _gantry.HavePulledAsync();
        var marker = Path.Combine(_gantry.Store, "pending", (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim(), "sha256-left");
        Directory.CreateDirectory(Path.GetDirectoryName(marker)!);
        await File.WriteAllTextAsync(marker, "");

        await _gantry.GoodAsync("settle");
        Assert.Empty(Pending());
        await _gantry.GoodAsync("--root", _gantry.Path("none"), "settle");
        Assert.False(Directory.Exists(_gantry.Path("none")));
    }

    [Fact]
    public async Task Pull_ThenLook_ShowsWhatWasPulled()
    {
        var pulled = await _gantry.GoodAsync("pull", bench.Box);
        Assert.Matches($"^{bench.Host}/team/box@sha256:[0-9a-f]{{64}}\n$", pulled.Output);
        Assert.Contains("Pull complete", pulled.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', pulled.Errors);
        var again = await _gantry.GoodAsync("pull", bench.Box);
        Assert.Equal(pulled.Output, again.Output);
        Assert.Contains("up to date", again.Errors, StringComparison.Ordinal);
        Assert.Equal("", (await _gantry.GoodAsync("pull", "-q", bench.Box)).Errors);

        var images = await _gantry.GoodAsync("images");
        Assert.Matches("^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$", images.Lines[0]);
        Assert.Matches($"^{bench.Host}/team/box +1 +[0-9a-f]{{12}} +.+ ago +[0-9.]+[kM]B$", images.Lines[1]);
        Assert.Matches("^REPOSITORY +TAG +DIGEST +IMAGE ID +PLATFORM +CREATED +SIZE$", (await _gantry.GoodAsync("images", "--digests", "--platforms")).Lines[0]);
        var files = new DirectoryInfo(Path.Combine(_gantry.Store, "layers")).GetDirectories()
            .Sum(layer => new DirectoryInfo(Path.Combine(layer.FullName, "fs")).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.LinkTarget is null && file.Name != "twin").Sum(file => file.Length));
        Assert.Equal(files, (await _gantry.GoodAsync("images", "--json")).Json[0].GetProperty("size").GetInt64());
        Assert.Equal($"{bench.Box}\n", (await _gantry.GoodAsync("images", "-q")).Output);
        Assert.Equal($"{bench.Box}", (await _gantry.GoodAsync("images", "--json")).Json[0].GetProperty("name").GetString());

        var inspected = System.Text.Json.JsonDocument.Parse((await _gantry.GoodAsync("inspect", bench.Box)).Output).RootElement;
        Assert.Equal("default", inspected.GetProperty("Config").GetProperty("Cmd")[2].GetString()!.Split(' ')[1]);
        Assert.Equal(2, inspected.GetProperty("Layers").GetArrayLength());
        Assert.Equal(inspected.ToString(), System.Text.Json.JsonDocument.Parse((await _gantry.GoodAsync("inspect", "--remote", bench.Box)).Output).RootElement.ToString());
        var raw = await _gantry.GoodAsync("inspect", "--raw", bench.Box);
        Assert.Equal(inspected.GetProperty("Digest").GetString(), Oci.Digest.Of(raw.OutputBytes).ToString());
    }

    [Fact]
    public async Task History_OfAnImage_HasDockersColumnsAndNoControlCharacters()
    {
        await _gantry.HavePulledAsync();
        var history = await _gantry.GoodAsync("history", bench.Box);
        Assert.Matches("^IMAGE +CREATED +CREATED BY +SIZE +COMMENT$", history.Lines[0]);
        Assert.Matches(@"^[0-9a-f]{12} +.+ ago +CMD \\u001b\[31mred +0B", history.Lines[1]);
        Assert.Matches("^<missing> +.+ ago +ADD layer +[0-9.]+k?B +made by a test$", history.Lines[2]);
        Assert.Equal(4, history.Lines.Length);
        Assert.DoesNotContain('\u001b', history.Output);
        Assert.DoesNotContain('\u001b', (await _gantry.GoodAsync("history", "--no-trunc", bench.Box)).Output);
        Assert.Equal("CMD \u001b[31mred", (await _gantry.GoodAsync("history", "--json", bench.Box)).Json[0].GetProperty("createdBy").GetString());
    }

    [Fact]
    public async Task Pull_Json_IsAnObjectALine()
    {
        var lines = (await _gantry.GoodAsync("pull", "--json", bench.Box)).Json;
        Assert.Contains(lines, line => line.GetProperty("event").GetString() == "progress" && line.GetProperty("total").GetInt64() > 0);
        Assert.Equal("pulled", lines[^1].GetProperty("event").GetString());
        var failed = await _gantry.RunAsync("pull", "--json", $"{bench.Host}/team/none");
        Assert.Equal(("error", "NotFound", 3), (failed.Json[^1].GetProperty("event").GetString(), failed.Json[^1].GetProperty("fault").GetString(), failed.Json[^1].GetProperty("exitCode").GetInt32()));
    }

    [Fact]
    public async Task Rmi_ThenPrune_EmptiesTheStore()
    {
        await _gantry.HavePulledAsync();
        Assert.Contains("2 layers", (await _gantry.GoodAsync("rmi", bench.Box)).Output, StringComparison.Ordinal);
        Assert.Equal(3, (await _gantry.RunAsync("rmi", bench.Box)).Code);
        await _gantry.GoodAsync("prune");
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_gantry.Store, "layers")));
        Assert.Empty(Directory.GetFiles(Path.Combine(_gantry.Store, "blobs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Id_OfAnImage_StandsForItsName()
    {
        await _gantry.HavePulledAsync();
        var id = (await _gantry.GoodAsync("images")).Lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[2];
        Assert.Equal("default\n", (await _gantry.GoodAsync("run", "--rm", id)).Output);
        foreach (var word in (string[])[id[..4], id, (await _gantry.GoodAsync("images", "--json")).Json[0].GetProperty("imageId").GetString()!])
            Assert.Contains($"\"Name\": \"{bench.Box}\"", (await _gantry.GoodAsync("inspect", word)).Output, StringComparison.Ordinal);

        await _gantry.GoodAsync("pull", "-q", $"{bench.Box.Replace(":1", "@", StringComparison.Ordinal)}{(await _gantry.GoodAsync("images", "--json")).Json[0].GetProperty("digest").GetString()}");
        var several = await _gantry.RunAsync("rmi", id);
        Assert.Equal(2, several.Code);
        Assert.Contains("has several names", several.Errors, StringComparison.Ordinal);
        await _gantry.GoodAsync("rmi", "-f", id, "not-there");
        Assert.Equal("", (await _gantry.GoodAsync("images", "-q")).Output);
    }

    [Fact]
    public async Task Output_ThatCannotBeWritten_IsAFaultAndAClosedPipeIsNone()
    {
        await _gantry.HavePulledAsync();
        var gantry = $"GANTRY_ROOT={_gantry.Store} {GantryRuns.ProgramLine}";
        var codes = await GantryRuns.ToolAsync("bash", "-c",
            $"{gantry} images >/dev/full; echo $?; {gantry} export {bench.Box} >/dev/full; echo $?; {gantry} export {bench.Box} | head -c1 >/dev/null; echo ${{PIPESTATUS[0]}}; "
            + $"{gantry} images | true; echo ${{PIPESTATUS[0]}}");
        Assert.Equal(["11", "11", "141", "0"], codes.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        // One after the other into one file, as any command.
        await GantryRuns.ToolAsync("bash", "-c", $"({gantry} images -q; {gantry} images -q) >{_gantry.Path("twice")}");
        Assert.Equal(2, (await File.ReadAllLinesAsync(_gantry.Path("twice"))).Length);
    }

    [Fact]
    public async Task Pull_OntoAFullDisk_SaysSoAndLeavesNoName()
    {
        var small = Directory.CreateDirectory(_gantry.Path("small")).FullName;
        await GantryRuns.ToolAsync("mount", "-t", "tmpfs", "-o", "size=700k", "none", small);
        try
        {
            var pulled = await _gantry.RunAsync("--root", Path.Combine(small, "store"), "pull", bench.Box);
            Assert.Equal(11, pulled.Code);
            Assert.Contains("No space left on device", pulled.Errors, StringComparison.Ordinal);
            Assert.Equal("", (await _gantry.GoodAsync("--root", Path.Combine(small, "store"), "images", "-q")).Output);
            Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(small, "store", "staging")));
        }
        finally
        {
            await GantryRuns.ToolAsync("umount", small);
        }
    }

    [Fact]
    public async Task Tags_OfARepository_AreListed()
    {
        Assert.Equal("1\n", (await _gantry.GoodAsync("tags", $"{bench.Host}/team/box")).Output);
        Assert.Equal(3, (await _gantry.RunAsync("tags", $"{bench.Host}/team/none")).Code);
    }

    [Theory]
    [InlineData(2, "is not the name of an image", "pull", "UPPER/..//x")]
    [InlineData(2, "there is no command 'nope'", "nope")]
    [InlineData(2, "there is no option '--nope'", "pull", "--nope", "x")]
    [InlineData(2, "REF is missing", "pull")]
    [InlineData(2, "'b' is a word too many", "pull", "a", "b")]
    [InlineData(2, "'x' is not what --parallel takes: N", "pull", "--parallel", "x", "a")]
    [InlineData(2, "is not what SHELL takes: bash, zsh or fish", "completion", "csh")]
    [InlineData(125, "'bridge' is not what --network takes: none|host", "run", "--network", "bridge", "a")]
    [InlineData(125, "there is no option '--nope'", "run", "--nope", "a")]
    [InlineData(125, "there is no image HOST/team/box:1 in the store", "run", "--pull", "never", "HOST/team/box:1")]
    [InlineData(2, "is not a platform", "pull", "--platform", "a/b/c/d", "HOST/team/box:1")]
    [InlineData(3, "linux/arm64", "pull", "--platform", "linux/arm64", "HOST/team/box:1")]
    [InlineData(3, "there is no image", "history", "debian")]
    [InlineData(3, "not", "pull", "HOST/team/none:1")]
    [InlineData(5, "cannot be reached", "pull", "127.0.0.1:1/x")]
    public async Task Fault_OfEachKind_IsASentenceAndAnExitCode(int code, string sentence, params string[] words)
    {
        var result = await _gantry.RunAsync([.. words.Select(word => word.Replace("HOST", bench.Host, StringComparison.Ordinal))]);
        Assert.Equal(code, result.Code);
        Assert.Contains(sentence.Replace("HOST", bench.Host, StringComparison.Ordinal), result.Errors, StringComparison.Ordinal);
        Assert.StartsWith("gantry: ", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_ThenPullThenLogout_UsesDockersFile()
    {
        await using var server = await RegistryServer.StartAsync();
        var host = server.Address.Authority;
        var name = $"{host}/team/box:1";
        Assert.Equal(4, (await _gantry.RunAsync("push", $"{bench.Layout}:box", name)).Code);
        Assert.Equal(4, (await _gantry.RunAsync(Encoding.UTF8.GetBytes("wrong\n"), "login", "-u", "admin", "--password-stdin", host)).Code);
        Assert.Equal(2, (await _gantry.RunAsync("login", host)).Code);

        var login = await _gantry.RunAsync(Encoding.UTF8.GetBytes($"{RegistryServer.Password}\n"), "login", "-u", "admin", "--password-stdin", host);
        Assert.True(login.Code == 0, login.Errors);
        var file = _gantry.Path(".docker/config.json");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        await _gantry.GoodAsync("push", $"{bench.Layout}:box", name);
        await _gantry.GoodAsync("pull", name);
        Assert.Equal(["1"], (await _gantry.GoodAsync("tags", name)).Lines);

        await _gantry.GoodAsync("logout", $"http://{host}/");
        Assert.Contains("Not logged in", (await _gantry.GoodAsync("logout", host)).Output, StringComparison.Ordinal);
        Assert.Equal(4, (await _gantry.RunAsync("pull", name)).Code);

        // As docker itself would have written it, in a file of another name.
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{RegistryServer.Password}"));
        await File.WriteAllTextAsync(_gantry.Path("auth.json"), $$"""{"auths": {"{{host}}": {"auth": "{{auth}}"} } }""");
        await _gantry.GoodAsync("--authfile", _gantry.Path("auth.json"), "pull", name);
        Assert.DoesNotContain(RegistryServer.Password, login.Output + login.Errors, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync() => _gantry.DisposeAsync();

    private string[] Pending() => Directory.GetFiles(Path.Combine(_gantry.Store, "pending"), "*", SearchOption.AllDirectories);
}
