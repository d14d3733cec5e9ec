using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>What a pull leaves in the store, and what it does not fetch again. Need root, as unpacking to the letter does.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class ImagePullerTests(PullFixture registry) : PullTest(registry)
{
    [Fact]
    public async Task Pull_OfImage_StoresItsBlobsLayersChainAndName()
    {
        var image = new TestImage()
            .Gzip(new TarBytes().Directory("etc").File("etc/os-release", "one").File("gone", "x").End())
            .Plain(new TarBytes().File("etc/hosts", "two").File(".wh.gone").End());
        var digest = await image.PushAsync(Registry.Client, Repository);

        var store = await Store.OpenAsync();
        var pulled = await PullAsync(store);
        Assert.False(store.IsSettled);
        await store.SettleAsync();
        Assert.True(store.IsSettled);

        Assert.True(pulled.IsNew);
        Assert.Empty(pulled.Warnings);
        Assert.Equal(digest, pulled.Image.Manifest.Digest);
        Assert.Equal(4, Store.Blobs.Length);
        Assert.Equal(2, Store.Layers.Length);
        var chain = store.FindChain(pulled.Image)!;
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(chain.Folders[0], "etc/os-release"), End));
        Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(chain.Folders[1], "etc/hosts"), End));
        Assert.Equal(["/bin/sh"], (await store.ReadConfigAsync(pulled.Image, End))!.Execution.Cmd);
        Assert.Equal(pulled.Image.Manifest, store.List().Single().Manifest);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Store.Root, "pending"), "*", SearchOption.AllDirectories));
        Store.IsQuiet();
        await Store.IsConsistentAsync(store);
    }

    [Fact]
    public async Task Pull_Again_FetchesAndUnpacksNothing()
    {
        await TestImage.OfSize(2, 100_000, 1).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        await PullAsync(store);
        var before = Registry.BlobRequests(Repository);

        var steps = new Steps();
        var again = await PullAsync(store, progress: steps);
        Assert.False(again.IsNew);
        Assert.Equal(before, Registry.BlobRequests(Repository));
        Assert.All(steps.Last.Values, phase => Assert.Equal(PullPhase.Exists, phase));
    }

    [Fact]
    [Trait("Pull", "B84")]
    public async Task Pull_OfLayerTwiceInManifest_FetchesItOnce()
    {
        var tar = new TarBytes().File("a", "a").End();
        await new TestImage().Gzip(tar).Gzip(new TarBytes().File("a", "b").End()).Gzip(tar).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        var pulled = await PullAsync(store);
        Assert.Equal(3, Registry.BlobRequests(Repository)); // config and two layers
        Assert.Equal(3, store.FindChain(pulled.Image)!.Folders.Count(folder => folder.EndsWith("/fs", StringComparison.Ordinal)));
        Assert.Equal(2, Store.Layers.Length);
    }

    [Fact]
    public async Task Pull_OfTwoImages_SharesTheLayersBelow()
    {
        var below = new TarBytes().File("below", "below").End();
        var other = PullFixture.NewRepository();
        await new TestImage().Gzip(below).Gzip(new TarBytes().File("a", "a").End()).PushAsync(Registry.Client, Repository);
        await new TestImage().Gzip(below).Gzip(new TarBytes().File("b", "b").End()).PushAsync(Registry.Client, other);
        var store = await Store.OpenAsync();
        var (first, second) = (await PullAsync(store), await PullAsync(store, other));
        Assert.Equal(3, Store.Layers.Length);
        Assert.Equal(2, Store.Chains.Length);
        Assert.Equal(store.FindChain(first.Image)!.Folders[0], store.FindChain(second.Image)!.Folders[0]);
    }

    [Fact]
    public async Task Pull_WithoutKeepingBlobs_HasLayersAlone()
    {
        await TestImage.OfSize(2, 100_000, 4).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        var pulled = await PullAsync(store, options: new PullOptions { KeepLayerBlobs = false });
        Assert.Equal(2, Store.Blobs.Length); // manifest and config
        Assert.NotNull(store.FindChain(pulled.Image));
        Assert.False((await PullAsync(store, options: new PullOptions { KeepLayerBlobs = false })).IsNew);
    }

    [Fact]
    public async Task Pull_WithoutRegistry_UnpacksFromTheBlobs()
    {
        await TestImage.OfSize(2, 100_000, 6).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        var name = (await PullAsync(store, options: new PullOptions { Unpack = false })).Image.Name;
        var offline = await new ImagePuller(store, null, new PullOptions()).PullAsync(name, null, End);
        Assert.NotNull(store.FindChain(offline.Image));
        var absent = await Assert.ThrowsAsync<EngineException>(() => new ImagePuller(store, null, new PullOptions()).PullAsync(Registry.Name("no/such"), null, End));
        Assert.Equal(EngineFault.NotFound, absent.Fault);
    }
}
