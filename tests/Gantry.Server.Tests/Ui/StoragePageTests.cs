using System.Text.RegularExpressions;
using Gantry.Core.Browse;
using Gantry.Server.Ui;
using Gantry.Server.Tests.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

/// <summary>What administrators see of the store and of the nodes.</summary>
[Collection(typeof(PageCollection))]
public sealed class StoragePageTests(PageServer server)
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 4)]
    [InlineData(4, 4)]
    [InlineData(5, 8)]
    [InlineData(1000, 2000)]
    [InlineData(2001, 4096)]
    [InlineData(3L * 1024 * 1024 * 1024, 4L * 1024 * 1024 * 1024)]
    [InlineData(21L << 40, 40L << 40)]
    public void Plot_EndsAtARoundNumber(long bytes, long top) => Assert.Equal(top, new StoragePlot([new StorageSample(Start, 1, bytes, 0)]).Top);

    [Fact]
    public void Plot_HasAPointForEachSample_WithinThePicture()
    {
        var samples = Enumerable.Range(0, 201).Select(hour => new StorageSample(Start.AddHours(hour), hour, hour * 10, 0)).ToList();
        var plot = new StoragePlot(samples);
        var points = plot.Line.Split(' ');
        Assert.Equal(("0,240", "500,120", "1000,0"), (points[0], points[100], points[200]));
        Assert.Equal([2000, 1500, 1000, 500, 0], new StoragePlot([samples[200] with { Bytes = 2000 }]).Marks);
        Assert.Equal(Start.AddHours(100), plot.Times.ElementAt(1));
        Assert.InRange(plot.Rows(40).Count(), 30, 40);
        Assert.Equal(samples[200], plot.Rows(40).First());
    }

    [Fact]
    public void Plot_OfTheLargestStore_IsDrawn() => Assert.InRange(new StoragePlot([new StorageSample(Start, 1, long.MaxValue, 0)]).Top, long.MaxValue / 5, long.MaxValue);

    [Fact]
    public async Task Storage_IsDrawn_AndIsATableToo()
    {
        await server.Registry.ExecuteAsync(
            "INSERT INTO storage_samples (at, blobs, bytes, doomed) SELECT now() - n * interval '1 day', 100 + n, (300 - n) * 1048576, n % 3 FROM generate_series(1, 200) n ON CONFLICT DO NOTHING");
        using var browser = await server.OpenAsync();
        var page = (await browser.GetAsync("/storage?days=365")).Is(200);
        var line = Regex.Match(page.Main, "<polyline[^>]*points=\"([^\"]*)\"").Groups[1].Value;
        Assert.InRange(line.Split(' ').Length, 100, StoragePlot.Points);
        Assert.Matches("role=\"img\" aria-label=\"Bytes in the store: 10[01] MiB at the beginning", page.Main);
        Assert.Contains("<caption class=\"hidden\">What the store held</caption>", page.Main, StringComparison.Ordinal);
        Assert.Contains("<code>acme</code>", page.Main, StringComparison.Ordinal);
        var week = Regex.Match((await browser.GetAsync("/storage?days=7")).Is(200).Main, "<polyline[^>]*points=\"([^\"]*)\"").Groups[1].Value;
        Assert.InRange(week.Split(' ').Length, 6, 9);
        (await browser.GetAsync("/storage?days=nonsense")).Is(200);
    }

    [Fact]
    public async Task Nodes_SayHowTheyAre()
    {
        await server.Registry.ExecuteAsync("INSERT INTO nodes (number, name, version, started_at, seen_at) VALUES (99001, '<i>lost</i>', '0.0.1', now(), now() - interval '10 minutes') ON CONFLICT DO NOTHING");
        using var browser = await server.OpenAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        PageAnswer page;
        while (!(page = (await browser.GetAsync("/nodes")).Is(200)).Text.Contains("answers this page", StringComparison.Ordinal)) limit.Token.ThrowIfCancellationRequested();
        Assert.Contains("&lt;i&gt;lost&lt;/i&gt;", page.Main, StringComparison.Ordinal);
        Assert.Contains("1 node amiss", page.Text, StringComparison.Ordinal);
        Assert.Contains("They run different versions", page.Text, StringComparison.Ordinal);
    }
}
