using System.Diagnostics;

namespace Gantry.Server.Tests.Scale;

/// <summary>What <c>./bench.sh pages</c> does, with fewer tags and all the repositories: what pages read there, not how fast they are.</summary>
[Trait("Speed", "Slow")]
public sealed class PagesRunTests(ITestOutputHelper output)
{
    [Fact]
    public async Task AtTenThousandRepositories_EveryPageReadsByIndex()
    {
        var program = Path.Combine(
            AppContext.BaseDirectory.Replace("Gantry.Server.Tests", "Gantry.Benchmarks", StringComparison.Ordinal), "Gantry.Benchmarks.dll");
        using var run = Process.Start(new ProcessStartInfo("dotnet", [program, "pages", "--fraction", "0.05", "--data", Path.GetTempPath()])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var errors = run.StandardError.ReadToEndAsync();
        var text = await run.StandardOutput.ReadToEndAsync();
        await run.WaitForExitAsync();
        output.WriteLine(text + await errors);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("5000 tags in a repository, 10000 repositories", text, StringComparison.Ordinal);
        Assert.Contains(" plans read, 0 that are no index scan", text, StringComparison.Ordinal);
    }
}
