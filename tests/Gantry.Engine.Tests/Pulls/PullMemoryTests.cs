using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>How much memory a process takes that pulls, however large the image, and whatever is in it. Needs root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed partial class PullMemoryTests(PullFixture registry, ITestOutputHelper output) : IDisposable
{
    private const int MostMiB = 150;

    /// <summary>As many layers at a time as a machine of many cores takes by itself.</summary>
    private const string AtATime = "8";

    private readonly TestStore _store = new();
    private readonly string _repository = PullFixture.NewRepository();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("pull")]
    [InlineData("unpack")]
    public async Task Pull_OfLargeImage_TakesNoMoreMemoryThanOfASmallOne(string verb)
    {
        await TestImage.OfSize(6, 40_000_000, 90).PushAsync(registry.Client, _repository);
        await IsBoundedAsync(verb, verb == "pull" ? AtATime : Path.Combine(_store.Root, "rootfs"));
    }

    [Fact]
    [Trait("Pull", "B78")]
    [Trait("Pull", "C70")]
    public async Task Pull_OfZstdLayersWithTheLargestWindows_TakesNoMore()
    {
        await GreedyImages.Windows(layers: 5).PushAsync(registry.Client, _repository);
        await IsBoundedAsync("pull", AtATime);
    }

    [Fact]
    [Trait("Pull", "C68")]
    public async Task Pull_OfLayersWithManyDirectories_TakesNoMore()
    {
        await GreedyImages.Directories(layers: 3, count: 50_000).PushAsync(registry.Client, _repository);
        await IsBoundedAsync("pull", AtATime);
    }

    private async Task IsBoundedAsync(string verb, string last)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Gantry.PullHost.dll"), verb, _store.Root, registry.Name(_repository).Canonical, last])
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
