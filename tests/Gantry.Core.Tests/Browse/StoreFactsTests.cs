using Gantry.Core.Browse;
using Gantry.Core.Events;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Browse;

/// <summary>READMEs, samples of the store, nodes.</summary>
[Trait("Speed", "Slow")]
public sealed class StoreFactsTests : IAsyncLifetime
{
    private static readonly RepositoryName Repository = RepositoryName.Parse("team/app");
    private static readonly Actor Ann = new("ann", null, null);
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Readme_IsKept_WithWhoWroteIt_AndEventsSaySo()
    {
        var readmes = _registry.Get<Readmes>();
        Assert.False(await readmes.WriteAsync(Repository, "# Hello", Ann, default));
        await _registry.PushBlobAsync("team/app", "a repository");
        Assert.False(await readmes.RemoveAsync(Repository, Ann, default));
        Assert.Null(await readmes.FindAsync(Repository, default));

        Assert.True(await readmes.WriteAsync(Repository, "# Hello", Ann, default));
        Assert.True(await readmes.WriteAsync(Repository, "# Hello again", new Actor("bob", null, null), default));
        var readme = await readmes.FindAsync(Repository, default);
        Assert.Equal(("# Hello again", "bob"), (readme!.Markdown, readme.Account));

        Assert.True(await readmes.RemoveAsync(Repository, Ann, default));
        Assert.Null(await readmes.FindAsync(Repository, default));
        Assert.Equal("readme.write ann,readme.write bob,readme.remove ann", await _registry.ScalarAsync<string>(
            "SELECT string_agg(kind || ' ' || account, ',' ORDER BY id) FROM events WHERE kind LIKE 'readme.%' AND repository = 'team/app'"));
    }

    [Fact]
    public async Task Readme_ThatCannotBeKept_IsRefused()
    {
        await _registry.PushBlobAsync("team/app", "a repository");
        var readmes = _registry.Get<Readmes>();
        (string Text, int Status)[] wrong =
        [
            ("a\0b", 400), (new string('\ud800', 1), 400), ("\udc00\ud800", 400), (new string('x', Readmes.MaxBytes + 1), 413),
            (new string('\u00e9', Readmes.MaxBytes / 2) + "x", 413),
        ];
        foreach (var (text, status) in wrong)
            Assert.Equal(status, (await Assert.ThrowsAsync<OciException>(() => readmes.WriteAsync(Repository, text, Ann, default))).Status);
        Assert.Null(await readmes.FindAsync(Repository, default));

        foreach (var text in new[] { "", new string('\u00e9', Readmes.MaxBytes / 2), "\ud83d\ude00" })
        {
            Assert.True(await readmes.WriteAsync(Repository, text, Ann, default));
            Assert.Equal(text, (await readmes.FindAsync(Repository, default))!.Markdown);
        }
    }

    [Fact]
    public async Task Sample_IsTakenOnceAnHour_ByOneNode()
    {
        await _registry.PushBlobAsync("team/app", "a blob");
        var samples = _registry.Get<StorageSamples>();
        var taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => samples.TakeAsync(default)));
        Assert.Single(taken, isTaken => isTaken);
        Assert.False(await samples.TakeAsync(default));

        var latest = await samples.LatestAsync(default);
        Assert.Equal((1, 6, 0), (latest!.Blobs, latest.Bytes, latest.Doomed));

        await _registry.AgeAsync();
        await _registry.ScalarAsync<object>("UPDATE storage_samples SET at = at - interval '4 years'");
        Assert.True(await samples.TakeAsync(default));
        Assert.Equal(1, await _registry.ScalarAsync<long>("SELECT count(*) FROM storage_samples"));
    }

    [Fact]
    public async Task Samples_OfALongTime_AreThinnedOut()
    {
        await _registry.ScalarAsync<object>(
            "INSERT INTO storage_samples (at, blobs, bytes, doomed) SELECT '2026-01-01T00:00Z'::timestamptz + i * interval '1 hour', i, i, 0 FROM generate_series(1, 1000) i");
        var from = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var samples = _registry.Get<StorageSamples>();

        var few = await samples.ListAsync(from, from.AddHours(1000), 10, default);
        Assert.InRange(few.Count, 10, 11);
        Assert.Equal(few.OrderBy(sample => sample.At), few);
        Assert.Equal(1000, few[^1].Blobs);
        Assert.Equal(24, (await samples.ListAsync(from, from.AddDays(1), 1000, default)).Count);
        Assert.Empty(await samples.ListAsync(from.AddDays(-2), from, 10, default));
    }

    [Fact]
    public async Task Node_IsListed_UntilItLeaves()
    {
        var nodes = _registry.Get<NodeList>();
        await nodes.BeatAsync(default);
        await nodes.BeatAsync(default);
        var node = Assert.Single(await nodes.ListAsync(default));
        Assert.Equal((Environment.MachineName, NodeHealth.Running), (node.Name, node.Health));
        Assert.Matches(@"^\d+\.\d+\.\d+$", node.Version);

        await _registry.ScalarAsync<object>("UPDATE nodes SET seen_at = now() - interval '1 minute'");
        Assert.Equal(NodeHealth.Silent, Assert.Single(await nodes.ListAsync(default)).Health);

        // One that is gone is shown for an hour, one that runs for ever.
        await _registry.ScalarAsync<object>(
            "INSERT INTO nodes (number, name, version, seen_at) VALUES (1001, 'gone', '1.0.0', now()), (1002, 'long gone', '1.0.0', now() - interval '2 hours')");
        await _registry.ScalarAsync<object>("UPDATE nodes SET seen_at = now() - interval '2 hours' WHERE name <> 'gone'");
        await nodes.BeatAsync(default);
        Assert.Equal([(Environment.MachineName, NodeHealth.Running), ("gone", NodeHealth.Gone)], (await nodes.ListAsync(default)).Select(one => (one.Name, one.Health)));

        await nodes.LeaveAsync(default);
        Assert.Equal(["gone"], (await nodes.ListAsync(default)).Select(one => one.Name));
    }
}
