using Gantry.Core.Pull;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Browse;

[Trait("Speed", "Slow")]
public sealed class PullCountsTests : IAsyncLifetime
{
    private const string Repository = "team/app";
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    private PullCounts Counts => _registry.Get<PullCounts>();

    [Fact]
    public async Task Get_ByTag_CountsForTheTagAndTheRepository()
    {
        await _registry.PushImageAsync(Repository, "one", "a layer");
        await _registry.PushImageAsync(Repository, "two", "another layer");
        for (var i = 0; i < 3; i++) await _registry.FindManifestAsync(Repository, "one");
        await _registry.FindManifestAsync(Repository, "none");

        await Counts.WriteAsync(default);
        await Counts.WriteAsync(default);

        Assert.Equal("one 3", await TagsAsync());
        Assert.Equal("3 true", await RepositoryAsync());
    }

    [Fact]
    public async Task Get_ByDigest_CountsForTheTagsThatNameIt()
    {
        var image = await _registry.PushImageAsync(Repository, "one", "a layer");
        await _registry.PushImageAsync(Repository, "same", "a layer");
        await _registry.FindManifestAsync(Repository, $"{image}");
        await Counts.WriteAsync(default);
        await _registry.FindManifestAsync(Repository, $"{image}");
        await _registry.FindManifestAsync(Repository, "one");
        await Counts.WriteAsync(default);

        Assert.Equal("one 3,same 2", await TagsAsync());
        Assert.Equal("3 true", await RepositoryAsync());
    }

    [Fact]
    public async Task Head_CountsNothing()
    {
        await _registry.PushImageAsync(Repository, "one", "a layer");
        await _registry.Get<ManifestPull>().HeadAsync(RepositoryName.Parse(Repository), TagName.Parse("one"), default);
        await Counts.WriteAsync(default);

        Assert.Equal(("", ""), (await TagsAsync(), await RepositoryAsync()));
    }

    [Fact]
    public async Task Get_OfAnIndexAndItsImage_IsOnePull()
    {
        var image = await _registry.PushImageAsync(Repository, null, "a layer");
        await _registry.PushIndexAsync(Repository, "latest", image);
        await _registry.FindManifestAsync(Repository, "latest");
        await _registry.FindManifestAsync(Repository, $"{image}");
        await Counts.WriteAsync(default);

        Assert.Equal(("latest 1", "1 true"), (await TagsAsync(), await RepositoryAsync()));
    }

    [Fact]
    public async Task Write_OfATagThatIsGone_CountsForTheRepository()
    {
        await _registry.PushImageAsync(Repository, "one", "a layer");
        await _registry.FindManifestAsync(Repository, "one");
        await _registry.DeleteTagAsync(Repository, "one");
        await Counts.WriteAsync(default);

        Assert.Equal(("", "1 true"), (await TagsAsync(), await RepositoryAsync()));
    }

    [Fact]
    public async Task Write_ThatFails_LosesNothing()
    {
        await _registry.PushImageAsync(Repository, "one", "a layer");
        await _registry.FindManifestAsync(Repository, "one");
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Counts.WriteAsync(stopped.Token));
        await _registry.FindManifestAsync(Repository, "one");

        await Counts.WriteAsync(default);

        Assert.Equal("one 2", await TagsAsync());
    }

    [Fact]
    public async Task Count_WhileOthersWrite_LosesNothing()
    {
        await _registry.PushImageAsync(Repository, "one", "a layer");
        var name = RepositoryName.Parse(Repository);
        using var done = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested) await Counts.WriteAsync(default);
        });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 5000; i++)
            {
                Counts.Count(name, "one");
                if (i % 500 == 0) await Task.Yield();
            }
        })));
        await done.CancelAsync();
        await writing;
        await Counts.WriteAsync(default);

        Assert.Equal("one 20000", await TagsAsync());
    }

    [Fact]
    public async Task Count_BeyondItsRoom_AsksForAWrite_AndGoesOnAfterIt()
    {
        var name = RepositoryName.Parse(Repository);
        for (var i = 0; i < PullCounts.Capacity; i++) Counts.Count(name, $"t{i}");
        Assert.False(Counts.Full.IsCompleted);
        Counts.Count(name, "t1");
        Assert.False(Counts.Full.IsCompleted);

        Counts.Count(name, "one more");
        Assert.True(Counts.Full.IsCompleted);

        // The first takes what was counted, the second finds that nobody came again.
        await Counts.WriteAsync(default);
        await Counts.WriteAsync(default);
        Counts.Count(name, "one more");
        Assert.False(Counts.Full.IsCompleted);
    }

    [Fact]
    public void Count_OfWhatWasCountedLately_AllocatesNothing()
    {
        var name = RepositoryName.Parse(Repository);
        Counts.Count(name, "one");
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Counts.Count(name, "one");
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private Task<string> TagsAsync() =>
        _registry.ScalarAsync<string>("SELECT coalesce(string_agg(name || ' ' || pulls, ',' ORDER BY name), '') FROM tag_pulls");

    private Task<string> RepositoryAsync() => _registry.ScalarAsync<string>(
        "SELECT coalesce(string_agg(pulls || ' ' || (pulled_at > now() - interval '1 minute')::text, ','), '') FROM repository_statistics WHERE pulled_at IS NOT NULL");
}
