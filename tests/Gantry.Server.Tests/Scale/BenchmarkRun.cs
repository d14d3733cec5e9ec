using System.Diagnostics;

namespace Gantry.Server.Tests.Scale;

/// <summary>A run of <c>./bench.sh</c> in a process of its own, at less than its size.</summary>
internal static class BenchmarkRun
{
    private static readonly string Program = Path.Combine(
        AppContext.BaseDirectory.Replace("Gantry.Server.Tests", "Gantry.Benchmarks", StringComparison.Ordinal), "Gantry.Benchmarks.dll");

    /// <returns>What it printed; it has ended well.</returns>
    public static async Task<string> RunAsync(ITestOutputHelper output, params string[] arguments)
    {
        using var run = Process.Start(new ProcessStartInfo("dotnet", [Program, .. arguments, "--data", Path.GetTempPath()])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var errors = run.StandardError.ReadToEndAsync();
        var text = await run.StandardOutput.ReadToEndAsync();
        await run.WaitForExitAsync();
        output.WriteLine(text + await errors);
        Assert.Equal(0, run.ExitCode);
        return text;
    }
}
