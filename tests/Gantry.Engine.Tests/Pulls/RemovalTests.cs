using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>What goes and what stays when names are removed and the store is pruned. Need root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class RemovalTests(PullFixture registry) : IDisposable
{
    private readonly TestStore _store = new();

    private static CancellationToken End => TestContext.Current.CancellationToken;

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Remove_OfOneOfTwoImages_KeepsWhatTheOtherUses()
    {
        var store = await _store.OpenAsync();
        var below = new TarBytes().File("below", "below").End();
        var first = await PullAsync(store, new TestImage().Gzip(below).Gzip(new TarBytes().File("a", "a").End()));
        var second = await PullAsync(store, new TestImage().Gzip(below).Gzip(new TarBytes().File("b", "b").End()));

        var removed = await store.RemoveAsync(first.Name, End);
        Assert.Equal((3, 1, 1), (removed!.Blobs, removed.Layers, removed.Chains));
        Assert.Equal(second.Name, store.List().Single().Name);
        Assert.Equal(2, _store.Layers.Length);
        await _store.IsConsistentAsync(store);

        Assert.Null(await store.RemoveAsync(first.Name, End));
        await store.RemoveAsync(second.Name, End);
        Assert.Empty(_store.Blobs);
        Assert.Empty(_store.Layers);
        Assert.Empty(_store.Chains);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_store.Root, "images")));
        _store.IsQuiet();
    }

    [Fact]
    public async Task Remove_OfWhatALeaseNames_LeavesItToThePrunerAfterIt()
    {
        var store = await _store.OpenAsync();
        var image = await PullAsync(store, new TestImage().Gzip(new TarBytes().File("a", "a").End()));
        using (var lease = await store.LeaseAsync(End))
        {
            await lease.AddAsync(image.Uses, End);
            await store.RemoveAsync(image.Name, End);
            await store.PruneAsync(End);
            Assert.Single(_store.Layers);
            Assert.Equal(3, _store.Blobs.Length);
        }

        await store.PruneAsync(End);
        Assert.Empty(_store.Layers);
        Assert.Empty(_store.Blobs);
    }

    [Fact]
    public async Task Prune_DuringAPull_TakesNothingOfIt()
    {
        var store = await _store.OpenAsync();
        var repository = PullFixture.NewRepository();
        await TestImage.OfSize(4, 1_500_000, 70).PushAsync(registry.Client, repository);
        var pull = new ImagePuller(store, registry.Registries, new PullOptions { Parallelism = 1 }).PullAsync(registry.Name(repository), null, End);
        var prunes = 0;
        while (!pull.IsCompleted)
        {
            await store.PruneAsync(End);
            prunes++;
        }

        var pulled = await pull;
        Assert.True(prunes > 1);
        await store.PruneAsync(End);
        Assert.NotNull(store.FindChain(pulled.Image));
        await _store.IsConsistentAsync(store);
    }

    [Fact]
    public async Task Prune_TakesWhatACancelledPullHasLeft()
    {
        var store = await _store.OpenAsync();
        var repository = PullFixture.NewRepository();
        await TestImage.OfSize(2, 3_000_000, 80).PushAsync(registry.Client, repository);
        using var cancel = new CancellationTokenSource();
        var puller = new ImagePuller(store, registry.Registries, new PullOptions());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => puller.PullAsync(registry.Name(repository), new Canceller(cancel), cancel.Token));
        Assert.NotEmpty(_store.Blobs);
        await store.PruneAsync(End);
        Assert.Empty(_store.Blobs);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_store.Root, "ingest")));
    }

    private async Task<Engine.Images.StoredImage> PullAsync(ImageStore store, TestImage image)
    {
        var repository = PullFixture.NewRepository();
        await image.PushAsync(registry.Client, repository);
        return (await new ImagePuller(store, registry.Registries, new PullOptions()).PullAsync(registry.Name(repository), null, End)).Image;
    }

    private sealed class Canceller(CancellationTokenSource cancel) : IProgress<PullProgress>
    {
        public void Report(PullProgress value)
        {
            if (value is { Phase: PullPhase.Downloading, Bytes: > 1_000_000 }) cancel.Cancel();
        }
    }
}
