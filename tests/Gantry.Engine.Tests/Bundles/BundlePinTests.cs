using Gantry.Engine.Bundles;
using Gantry.Engine.Images;
using Gantry.Engine.Tests.Pulls;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Bundles;

/// <summary>Bundles that outlive who made them keep their layers, and nothing else does. Need root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class BundlePinTests(PullFixture registry) : PullTest(registry)
{
    private string Bundle => Path.Combine(Store.Root, "elsewhere", "bundle");

    private string Rootfs => Path.Combine(Bundle, "rootfs");

    [Fact]
    public async Task Prune_WhileABundleIsThere_LeavesItsLayersAndNoMore()
    {
        var image = await MakeAsync();
        var other = await Store.OpenAsync();
        var removed = await other.RemoveAsync(image.Name, End);
        Assert.Equal((0, 0), (removed!.Layers, removed.Chains));
        await other.PruneAsync(End);
        Assert.Empty(other.List());
        Assert.Empty(Store.Blobs);
        Assert.Equal(2, Store.Layers.Length);
        Assert.Equal("a", await File.ReadAllTextAsync(Path.Combine(Rootfs, "a"), End));

        OverlayMount.Unmount(Rootfs);
        await other.PruneAsync(End);
        Assert.Equal(2, Store.Layers.Length);

        Directory.Delete(Bundle, recursive: true);
        await other.PruneAsync(End);
        Assert.Empty(Store.Layers);
        Assert.Empty(Store.Chains);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Store.Root, "pins")));
    }

    [Fact]
    public async Task Prune_WhereAnotherFolderTookTheBundlesPlace_IsNotHeldUp()
    {
        var image = await MakeAsync();
        OverlayMount.Unmount(Rootfs);
        Directory.Delete(Bundle, recursive: true);
        var store = await Store.OpenAsync();
        await PullAsync(store);
        await ImageBundle.MakeStackedAsync(store, (await PullOtherAsync(store)).Image, Bundle, new BundleOptions(), End);
        OverlayMount.Unmount(Rootfs);

        await store.RemoveAsync(image.Name, End);
        Assert.Single(Store.Layers);
        Assert.Single(Directory.EnumerateFiles(Path.Combine(Store.Root, "pins")));
    }

    [Fact]
    public async Task Bundle_ThatFailed_PinsNothing()
    {
        var store = await Store.OpenAsync();
        await new TestImage().Gzip(new TarBytes().File("a", "a").End()).PushAsync(Registry.Client, Repository);
        var image = (await PullAsync(store)).Image;
        var refusal = await Assert.ThrowsAsync<EngineException>(() => ImageBundle.MakeStackedAsync(store, image, Bundle, new BundleOptions { User = "nobody-there" }, End));
        Assert.Equal(EngineFault.NotFound, refusal.Fault);
        Assert.False(Directory.Exists(Bundle));
        await store.RemoveAsync(image.Name, End);
        Assert.Empty(Store.Layers);
    }

    /// <summary>By a store that is closed when this returns, as by a process that has ended.</summary>
    private async Task<StoredImage> MakeAsync()
    {
        await new TestImage().Gzip(new TarBytes().File("a", "a").End()).Gzip(new TarBytes().File("b", "b").End()).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        var image = (await PullAsync(store)).Image;
        Directory.CreateDirectory(Path.GetDirectoryName(Bundle)!);
        await ImageBundle.MakeStackedAsync(store, image, Bundle, new BundleOptions(), End);
        Store.IsQuiet();
        return image;
    }

    private async Task<PulledImage> PullOtherAsync(ImageStore store)
    {
        var repository = PullFixture.NewRepository();
        await new TestImage().Gzip(new TarBytes().File("other", "other").End()).PushAsync(Registry.Client, repository);
        return await PullAsync(store, repository);
    }
}
