using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Gantry.TestKit;

namespace Gantry.Cli.Tests.Kit;

/// <summary>What one run of the command came to.</summary>
public sealed record GantryResult(int Code, byte[] OutputBytes, string Errors)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public IReadOnlyList<JsonElement> Json => [.. Lines.Select(line => JsonDocument.Parse(line).RootElement)];
}

/// <summary>The command as processes, with a store, a home and a folder of their own.</summary>
public sealed class GantryRuns : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-run-");

    public GantryRuns(Bench bench) => Bench = bench;

    public Bench Bench { get; }

    /// <summary>What runs it; its options come behind.</summary>
    public static string[] Program { get; } = GantryProgram.Words(AppContext.BaseDirectory);

    /// <summary>The same for a shell.</summary>
    public static string ProgramLine => string.Join(' ', Program);

    public string Folder => _folder.FullName;

    public string Store => Path("store");

    public Dictionary<string, string?> Environment { get; } = new(StringComparer.Ordinal);

    /// <summary>The bench's image is in the store from the start.</summary>
    public Task HavePulledAsync() => ToolAsync("cp", "-a", Bench.PulledStore, Store);

    public string Path(string name) => System.IO.Path.Combine(Folder, name);

    public Task<GantryResult> RunAsync(params string[] words) => RunAsync(input: null, words);

    /// <summary>With this on standard input; null: nothing.</summary>
    public async Task<GantryResult> RunAsync(byte[]? input, params string[] words)
    {
        using var process = Start(words);
        return await EndAsync(process, input);
    }

    /// <summary>Must succeed.</summary>
    public async Task<GantryResult> GoodAsync(params string[] words)
    {
        var result = await RunAsync(words);
        Assert.True(result.Code == 0, $"gantry {string.Join(' ', words)} ended with {result.Code}: {result.Output}{result.Errors}");
        return result;
    }

    public Process Start(params string[] words) => StartOther(Program[0], [.. Program[1..], .. words]);

    /// <summary>Some program that runs gantry.</summary>
    public Process StartOther(string program, string[] words)
    {
        var start = new ProcessStartInfo(program, words)
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder,
        };
        SetEnvironment(start);
        return Process.Start(start)!;
    }

    /// <summary>Nothing of the machine's or of whoever runs the tests.</summary>
    public void SetEnvironment(ProcessStartInfo start)
    {
        start.Environment["GANTRY_ROOT"] = Store;
        start.Environment["HOME"] = Folder;
        foreach (var name in (string[])["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"]) start.Environment.Remove(name);
        foreach (var (name, value) in Environment) start.Environment[name] = value;
    }

    public static async Task<GantryResult> EndAsync(Process process, byte[]? input = null)
    {
        var errors = process.StandardError.ReadToEndAsync();
        var output = new MemoryStream();
        var copied = process.StandardOutput.BaseStream.CopyToAsync(output);
        if (input is not null) await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        await copied;
        await process.WaitForExitAsync();
        return new GantryResult(process.ExitCode, output.ToArray(), await errors);
    }

    /// <summary>Somebody else's program, which must succeed and must be there.</summary>
    public static async Task<string> ToolAsync(string program, params string[] words)
    {
        var start = new ProcessStartInfo(program, words) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var result = await EndAsync(process);
        Assert.True(result.Code == 0, $"{program} {string.Join(' ', words)} ended with {result.Code}: {result.Output}{result.Errors}");
        return result.Output;
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
