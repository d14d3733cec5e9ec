using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>How much memory a process takes that pulls, however large the image. Needs root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed partial class PullMemoryTests(PullFixture registry, ITestOutputHelper output) : IDisposable
{
    private const int MostMiB = 150;

    private readonly TestStore _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("pull")]
    [InlineData("unpack")]
    public async Task Pull_OfLargeImage_TakesNoMoreMemoryThanOfASmallOne(string verb)
    {
        var repository = PullFixture.NewRepository();
        await TestImage.OfSize(6, 40_000_000, 90).PushAsync(registry.Client, repository);
        var start = new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Gantry.PullHost.dll"), verb, _store.Root, registry.Name(repository).Canonical, Path.Combine(_store.Root, "rootfs")])
        {
            UseShellExecute = false, RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        output.WriteLine(said);
        Assert.Equal(0, process.ExitCode);
        Assert.InRange(int.Parse(Peak().Match(said).Groups["mib"].Value, CultureInfo.InvariantCulture), 1, MostMiB);
    }

    [GeneratedRegex("peak (?<mib>[0-9]+) MiB", RegexOptions.ExplicitCapture)]
    private static partial Regex Peak();
}
