using System.Diagnostics;

namespace Gantry.Cli.Tests;

/// <summary>What <c>./bench.sh pull</c> does, with images of a few files: that every client gets them and every measure is taken, not how fast.</summary>
[Trait("Speed", "Slow")]
public sealed class PullRunTests(ITestOutputHelper output)
{
    [Fact]
    public async Task WithTinyImages_EveryClientPullsThem_AndEveryMeasureIsInTheTable()
    {
        var program = Path.Combine(
            AppContext.BaseDirectory.Replace("Gantry.Cli.Tests", "Gantry.Benchmarks", StringComparison.Ordinal), "Gantry.Benchmarks.dll");
        using var run = Process.Start(new ProcessStartInfo("dotnet", [program, "pull", "--quick", "--fraction", "0.005", "--data", Path.GetTempPath()])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var errors = run.StandardError.ReadToEndAsync();
        var text = await run.StandardOutput.ReadToEndAsync();
        await run.WaitForExitAsync();
        output.WriteLine(text + await errors);

        Assert.Equal(0, run.ExitCode);
        foreach (var image in (string[])["mixed", "large", "small"])
        {
            foreach (var peer in (string[])["podman pull", "ctr image pull", "docker pull"]) Assert.Contains($"| {image}: wall, {peer} / gantry pull | ", text);
            foreach (var peer in (string[])["skopeo copy + umoci unpack", "curl, gzip, GNU tar"]) Assert.Contains($"| {image}: CPU, {peer} / gantry unpack | ", text);
        }

        Assert.Matches(@"small: CPU microseconds per file on tmpfs, gantry pull \| [0-9]", text);
        Assert.Matches(@"bytes fetched / size, [0-9]+ cut connections \| [0-9]", text);
    }
}
