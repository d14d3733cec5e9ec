using Gantry.Layers;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>Blobs and layers that are not what they are said to be: nothing of them becomes visible. Need root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class PullRefusalTests(PullFixture registry) : PullTest(registry)
{
    private static readonly byte[] EmptyMember = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    [Fact]
    [Trait("Pull", "C77")]
    public async Task Pull_WithWrongDiffId_LeavesNothingVisible()
    {
        var good = new TarBytes().File("good", "good").End();
        var image = new TestImage().Add(TestImage.Compress(good.ToArray()), Digest.Of("other"u8).ToString(), TestImage.GzipLayer);
        await image.PushAsync(Registry.Client, Repository);
        await RefusedAsync(EngineFault.Mismatch);
        Assert.Empty(Store.Layers);
    }

    [Fact]
    [Trait("Pull", "B83")]
    public async Task Pull_OfUncompressedLayerWithAnotherDiffId_IsRefused()
    {
        var image = new TestImage().Add(new TarBytes().File("x", "x").End().ToArray(), Digest.Of("other"u8).ToString(), TestImage.TarLayer);
        await image.PushAsync(Registry.Client, Repository);
        await RefusedAsync(EngineFault.Mismatch);
        Assert.Empty(Store.Layers);
    }

    [Fact]
    [Trait("Pull", "C76")]
    public async Task Pull_OfLayerThatIsNoTar_IsRefusedAsTheLayersFault()
    {
        var noise = new byte[3_000_000];
        new Random(7).NextBytes(noise);
        await new TestImage().Add(noise, Digest.Of(noise).ToString(), TestImage.GzipLayer).Gzip(new TarBytes().File("x", "x").End()).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        await Assert.ThrowsAsync<LayerException>(() => PullAsync(store));
        Assert.Empty(store.List());
        Store.IsQuiet();
    }

    [Theory]
    [Trait("Pull", "B106")]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Pull_WithSizeThatLies_LeavesNothingVisible(int more)
    {
        var image = TestImage.OfSize(1, 300_000, 2);
        image.Layers[0].Descriptor["size"] = image.Layers[0].Blob.Length + more;
        // The registry would not take it, so the manifest is served by the proxy.
        await ServeAsync(image);
        await RefusedAsync(EngineFault.Mismatch);
        Assert.Empty(Store.Layers);
    }

    [Theory]
    [Trait("Pull", "B105")]
    [InlineData(TestImage.GzipLayer)]
    [InlineData(TestImage.TarLayer)]
    public async Task Pull_OfBlobWithOtherBytes_IsTheBlobsFaultWhateverTheyDecodeTo(string mediaType)
    {
        var tar = new TarBytes().File("x", "x").End().ToArray();
        var image = new TestImage().Add(tar, Digest.Of(tar).ToString(), mediaType);
        await image.PushAsync(Registry.Client, Repository);
        var path = $"/v2/{Repository}/blobs/{Digest.Of(tar)}";
        Registry.Proxy.Faults = request => request.Path == path ? ProxyFault.Answer(200, new string('x', tar.Length)) : null;
        await RefusedAsync(EngineFault.Mismatch);
        Assert.Empty(Store.Layers);
        Assert.DoesNotContain(Digest.Of(tar).Hex, Store.Blobs);
        Assert.All(Store.Ingest, file => Assert.Equal(0, new FileInfo(Path.Combine(Store.Root, "ingest", file)).Length));
    }

    [Fact]
    public async Task Pull_WithDamagedBlobInTheStore_FetchesItAgain()
    {
        var image = TestImage.OfSize(1, 100_000, 5);
        await image.PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        await PullAsync(store, options: new PullOptions { Unpack = false });
        var path = Path.Combine(Store.Root, "blobs/sha256", Digest.Of(image.Layers[0].Blob).Hex);
        var bytes = await File.ReadAllBytesAsync(path, End);
        bytes[50_000] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, End);

        await PullAsync(store);
        await Store.IsConsistentAsync(store);
    }

    [Theory]
    [Trait("Pull", "B74")]
    [Trait("Pull", "B78")]
    [Trait("Pull", "C70")]
    [Trait("Pull", "C71")]
    [Trait("Pull", "C73")]
    [InlineData("gzip cut in its trailer")]
    [InlineData("gzip with a wrong sum")]
    [InlineData("gzip of empty members")]
    [InlineData("zstd cut")]
    [InlineData("zstd with more behind it")]
    [InlineData("zstd of a window of 2 GiB")]
    [InlineData("zstd with a dictionary")]
    [InlineData("xz")]
    public async Task Pull_OfBrokenCompression_IsTheLayersFaultAndLeavesNothing(string kind)
    {
        var tar = new TarBytes().File("x", new string('x', 300_000)).End().ToArray();
        var (gzip, zstd) = (TestImage.Compress(tar), Zstd.Compress(tar));
        byte[] blob = kind switch
        {
            "gzip cut in its trailer" => gzip[..^3],
            "gzip with a wrong sum" => [.. gzip[..^8], 1, 2, 3, 4, .. gzip[^4..]],
            "gzip of empty members" => [.. Enumerable.Repeat(EmptyMember, 60_000).SelectMany(member => member)],
            "zstd cut" => zstd[..^2],
            "zstd with more behind it" => [.. zstd, 0],
            "zstd of a window of 2 GiB" => Zstd.Frame(31, Zstd.RawBlock(tar[..1024], true)),
            "zstd with a dictionary" => [.. Zstd.Magic, 1, 0, 77, .. Zstd.RawBlock(tar[..1024], true)],
            _ => [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, .. tar],
        };
        await new TestImage().Add(blob, Digest.Of(tar).ToString(), TestImage.GzipLayer).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        Assert.Equal(LayerFault.Compression, (await Assert.ThrowsAsync<LayerException>(() => PullAsync(store))).Fault);

        var flat = new FlatUnpacker(store, Registry.Registries, new PullOptions());
        var rootfs = Path.Combine(Store.Root, "rootfs");
        Assert.Equal(LayerFault.Compression, (await Assert.ThrowsAsync<LayerException>(() => flat.UnpackAsync(Registry.Name(Repository), rootfs, null, End))).Fault);
        Assert.False(Directory.Exists(rootfs));
        Assert.Empty(store.List());
        Assert.Empty(Store.Layers);
        Store.IsQuiet();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pull_WithVerifyFirst_DecodesNothingOfABlobThatIsWrong(bool verifyFirst)
    {
        var tar = new TarBytes().File("x", new string('x', 3_000_000)).End();
        await new TestImage().Plain(tar).PushAsync(Registry.Client, Repository);
        var bytes = tar.ToArray();
        var path = $"/v2/{Repository}/blobs/{Digest.Of(bytes)}";
        bytes[2_900_000] = (byte)'y';
        Registry.Proxy.Faults = request => request.Path == path ? ProxyFault.Answer(200, System.Text.Encoding.ASCII.GetString(bytes)) : null;

        var steps = new Steps();
        var store = await Store.OpenAsync();
        var options = new PullOptions { VerifyFirst = verifyFirst };
        var refusals = new List<EngineException> { await Assert.ThrowsAsync<EngineException>(() => PullAsync(store, options: options, progress: steps)) };
        var flat = new FlatUnpacker(store, Registry.Registries, options);
        refusals.Add(await Assert.ThrowsAsync<EngineException>(() => flat.UnpackAsync(Registry.Name(Repository), System.IO.Path.Combine(Store.Root, "rootfs"), steps, End)));
        Registry.Proxy.Faults = null;

        Assert.All(refusals, refusal => Assert.Equal(EngineFault.Mismatch, refusal.Fault));
        Assert.Equal(verifyFirst, !steps.All.Any(step => step.Phase == PullPhase.Unpacking));
        Assert.Empty(Store.Layers);
        Store.IsQuiet();
        await PullAsync(store, options: options);
        Assert.Single(Store.Layers);
    }
}
