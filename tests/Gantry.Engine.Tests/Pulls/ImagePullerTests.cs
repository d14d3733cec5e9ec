using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Gantry.Engine.Snapshots;
using Gantry.Layers;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>Pulls from the real registry. Need root, as unpacking to the letter does.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class ImagePullerTests(PullFixture registry) : IDisposable
{
    private readonly TestStore _store = new();
    private readonly string _repository = PullFixture.NewRepository();

    private static CancellationToken End => TestContext.Current.CancellationToken;

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Pull_OfImage_StoresItsBlobsLayersChainAndName()
    {
        var image = new TestImage()
            .Gzip(new TarBytes().Directory("etc").File("etc/os-release", "one").File("gone", "x").End())
            .Plain(new TarBytes().File("etc/hosts", "two").File(".wh.gone").End());
        var digest = await image.PushAsync(registry.Client, _repository);

        var store = await _store.OpenAsync();
        var pulled = await PullAsync(store);
        await pulled.Settled;

        Assert.True(pulled.IsNew);
        Assert.Empty(pulled.Warnings);
        Assert.Equal(digest, pulled.Image.Manifest.Digest);
        Assert.Equal(4, _store.Blobs.Length);
        Assert.Equal(2, _store.Layers.Length);
        var chain = store.FindChain(pulled.Image)!;
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(chain.Folders[0], "etc/os-release"), End));
        Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(chain.Folders[1], "etc/hosts"), End));
        Assert.Equal(["/bin/sh"], (await store.ReadConfigAsync(pulled.Image, End))!.Execution.Cmd);
        Assert.Equal(pulled.Image.Manifest, store.List().Single().Manifest);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_store.Root, "pending"), "*", SearchOption.AllDirectories));
        _store.IsQuiet();
        await _store.IsConsistentAsync(store);
    }

    [Fact]
    public async Task Pull_Again_FetchesAndUnpacksNothing()
    {
        await TestImage.OfSize(2, 100_000, 1).PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        await PullAsync(store);
        var before = registry.BlobRequests(_repository);

        var steps = new Steps();
        var again = await PullAsync(store, progress: steps);
        Assert.False(again.IsNew);
        Assert.Equal(before, registry.BlobRequests(_repository));
        Assert.All(steps.Last.Values, phase => Assert.Equal(PullPhase.Exists, phase));
    }

    [Fact]
    [Trait("Pull", "B84")]
    public async Task Pull_OfLayerTwiceInManifest_FetchesItOnce()
    {
        var tar = new TarBytes().File("a", "a").End();
        await new TestImage().Gzip(tar).Gzip(new TarBytes().File("a", "b").End()).Gzip(tar).PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        var pulled = await PullAsync(store);
        Assert.Equal(3, registry.BlobRequests(_repository)); // config and two layers
        Assert.Equal(3, store.FindChain(pulled.Image)!.Folders.Count(folder => folder.EndsWith("/fs", StringComparison.Ordinal)));
        Assert.Equal(2, _store.Layers.Length);
    }

    [Fact]
    public async Task Pull_OfTwoImages_SharesTheLayersBelow()
    {
        var below = new TarBytes().File("below", "below").End();
        var other = PullFixture.NewRepository();
        await new TestImage().Gzip(below).Gzip(new TarBytes().File("a", "a").End()).PushAsync(registry.Client, _repository);
        await new TestImage().Gzip(below).Gzip(new TarBytes().File("b", "b").End()).PushAsync(registry.Client, other);
        var store = await _store.OpenAsync();
        var (first, second) = (await PullAsync(store), await PullAsync(store, other));
        Assert.Equal(3, _store.Layers.Length);
        Assert.Equal(2, _store.Chains.Length);
        Assert.Equal(store.FindChain(first.Image)!.Folders[0], store.FindChain(second.Image)!.Folders[0]);
    }

    [Fact]
    [Trait("Pull", "C77")]
    public async Task Pull_WithWrongDiffId_LeavesNothingVisible()
    {
        var good = new TarBytes().File("good", "good").End();
        var image = new TestImage().Add(TestImage.Compress(good.ToArray()), Digest.Of("other"u8).ToString(), TestImage.GzipLayer);
        await image.PushAsync(registry.Client, _repository);
        await RefusedAsync(EngineFault.Mismatch);
        Assert.Empty(_store.Layers);
    }

    [Fact]
    [Trait("Pull", "B83")]
    public async Task Pull_OfUncompressedLayerWithAnotherDiffId_IsRefused()
    {
        var image = new TestImage().Add(new TarBytes().File("x", "x").End().ToArray(), Digest.Of("other"u8).ToString(), TestImage.TarLayer);
        await image.PushAsync(registry.Client, _repository);
        await RefusedAsync(EngineFault.Mismatch);
        Assert.Empty(_store.Layers);
    }

    [Fact]
    [Trait("Pull", "B79")]
    public async Task Pull_OfGzipCalledTar_IsDecodedByItsBytes()
    {
        var tar = new TarBytes().File("x", "x").End().ToArray();
        await new TestImage().Add(TestImage.Compress(tar), Digest.Of(tar).ToString(), TestImage.TarLayer).PushAsync(registry.Client, _repository);
        await PullAsync(await _store.OpenAsync());
        Assert.Single(_store.Layers);
    }

    [Fact]
    [Trait("Pull", "C76")]
    public async Task Pull_OfLayerThatIsNoTar_IsRefusedAsTheLayersFault()
    {
        var noise = new byte[3_000_000];
        new Random(7).NextBytes(noise);
        await new TestImage().Add(noise, Digest.Of(noise).ToString(), TestImage.GzipLayer).Gzip(new TarBytes().File("x", "x").End()).PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        await Assert.ThrowsAsync<LayerException>(() => PullAsync(store));
        Assert.Empty(store.List());
        _store.IsQuiet();
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
        Assert.Empty(_store.Layers);
    }

    [Theory]
    [Trait("Pull", "B105")]
    [InlineData(TestImage.GzipLayer)]
    [InlineData(TestImage.TarLayer)]
    public async Task Pull_OfBlobWithOtherBytes_IsTheBlobsFaultWhateverTheyDecodeTo(string mediaType)
    {
        var tar = new TarBytes().File("x", "x").End().ToArray();
        var image = new TestImage().Add(tar, Digest.Of(tar).ToString(), mediaType);
        await image.PushAsync(registry.Client, _repository);
        var path = $"/v2/{_repository}/blobs/{Digest.Of(tar)}";
        registry.Proxy.Faults = request => request.Path == path ? ProxyFault.Answer(200, new string('x', tar.Length)) : null;
        await RefusedAsync(EngineFault.Mismatch);
        Assert.Empty(_store.Layers);
        Assert.DoesNotContain(Digest.Of(tar).Hex, _store.Blobs);
        Assert.All(_store.Ingest, file => Assert.Equal(0, new FileInfo(Path.Combine(_store.Root, "ingest", file)).Length));
    }

    [Fact]
    [Trait("Pull", "B87")]
    public async Task Pull_WithInlineData_AsksForNoBlob()
    {
        var image = new TestImage().Gzip(new TarBytes().File("x", "x").End());
        image.Layers[0].Descriptor["data"] = Convert.ToBase64String(image.Layers[0].Blob);
        await image.PushAsync(registry.Client, _repository);
        await PullAsync(await _store.OpenAsync());
        Assert.Equal(1, registry.BlobRequests(_repository)); // the config
        Assert.Single(_store.Layers);
    }

    [Fact]
    [Trait("Pull", "B102")]
    public async Task Pull_OfArtifact_StoresItUnopened()
    {
        var image = new TestImage { ConfigMediaType = "application/vnd.example.config+json" };
        image.Add("not a tar"u8.ToArray(), Digest.Of("x"u8).ToString(), "application/vnd.example.thing");
        await image.PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        var pulled = await PullAsync(store);
        Assert.Contains("not a container image", pulled.WhyNotUnpacked, StringComparison.Ordinal);
        Assert.Equal(3, _store.Blobs.Length);
        Assert.Empty(_store.Layers);
        var target = Path.Combine(_store.Root, "rootfs");
        var refusal = await Assert.ThrowsAsync<EngineException>(() => new FlatUnpacker(store, registry.Registries, new PullOptions()).UnpackAsync(pulled.Image.Name, target, null, End));
        Assert.Equal(EngineFault.Unsupported, refusal.Fault);
        Assert.False(Directory.Exists(target));
    }

    [Fact]
    [Trait("Pull", "B103")]
    public async Task Pull_OfImageWithoutLayers_IsAnEmptyStack()
    {
        await new TestImage().PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        Assert.Empty(store.FindChain((await PullAsync(store)).Image)!.Folders);
    }

    [Fact]
    public async Task Pull_Cancelled_LeavesOnlyWhatTheNextOneGoesOnFrom()
    {
        await TestImage.OfSize(4, 3_000_000, 3).PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        using var cancel = new CancellationTokenSource();
        var steps = new Steps { On = step => { if (step is { Phase: PullPhase.Unpacking, Bytes: > 1_000_000 }) cancel.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PullAsync(store, progress: steps, ct: cancel.Token));
        Assert.Empty(store.List());
        _store.IsQuiet();
        await PullAsync(store);
        await _store.IsConsistentAsync(store);
    }

    [Fact]
    public async Task Pull_WithoutKeepingBlobs_HasLayersAlone()
    {
        await TestImage.OfSize(2, 100_000, 4).PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        var pulled = await PullAsync(store, options: new PullOptions { KeepLayerBlobs = false });
        Assert.Equal(2, _store.Blobs.Length); // manifest and config
        Assert.NotNull(store.FindChain(pulled.Image));
        Assert.False((await PullAsync(store, options: new PullOptions { KeepLayerBlobs = false })).IsNew);
    }

    [Fact]
    public async Task Pull_WithDamagedBlobInTheStore_FetchesItAgain()
    {
        var image = TestImage.OfSize(1, 100_000, 5);
        await image.PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        await PullAsync(store, options: new PullOptions { Unpack = false });
        var path = Path.Combine(_store.Root, "blobs/sha256", Digest.Of(image.Layers[0].Blob).Hex);
        var bytes = await File.ReadAllBytesAsync(path, End);
        bytes[50_000] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, End);

        await PullAsync(store);
        await _store.IsConsistentAsync(store);
    }

    [Fact]
    public async Task Pull_WithoutRegistry_UnpacksFromTheBlobs()
    {
        await TestImage.OfSize(2, 100_000, 6).PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        var name = (await PullAsync(store, options: new PullOptions { Unpack = false })).Image.Name;
        var offline = await new ImagePuller(store, null, new PullOptions()).PullAsync(name, null, End);
        Assert.NotNull(store.FindChain(offline.Image));
        var absent = await Assert.ThrowsAsync<EngineException>(() => new ImagePuller(store, null, new PullOptions()).PullAsync(registry.Name("no/such"), null, End));
        Assert.Equal(EngineFault.NotFound, absent.Fault);
    }

    [Fact]
    public async Task Pull_ReportsEachLayerFromWaitingToComplete()
    {
        var image = TestImage.OfSize(3, 1_500_000, 8);
        await image.PushAsync(registry.Client, _repository);
        var steps = new Steps();
        await PullAsync(await _store.OpenAsync(), progress: steps);
        foreach (var layer in image.Layers)
        {
            var digest = Digest.Of(layer.Blob);
            var own = steps.All.Where(step => step.Layer == digest).ToList();
            Assert.Equal(PullPhase.Waiting, own[0].Phase);
            Assert.Equal(new PullProgress(digest, PullPhase.Complete, layer.Blob.Length, layer.Blob.Length), own[^1]);
            foreach (var phase in (PullPhase[])[PullPhase.Downloading, PullPhase.Unpacking])
            {
                var bytes = own.Where(step => step.Phase == phase).Select(step => step.Bytes).ToList();
                Assert.Equal(layer.Blob.Length, bytes[^1]);
                Assert.Equal(bytes.Order(), bytes);
            }
        }
    }

    /// <summary>Lets the proxy serve a manifest that no registry would take; blobs come from the registry.</summary>
    private async Task ServeAsync(TestImage image)
    {
        var config = System.Text.Encoding.UTF8.GetBytes(image.ConfigJson);
        await registry.Client.PushBlobAsync(_repository, config);
        foreach (var layer in image.Layers) await registry.Client.PushBlobAsync(_repository, layer.Blob);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = new JsonObject { ["mediaType"] = MediaTypes.OciConfig, ["digest"] = Digest.Of(config).ToString(), ["size"] = config.Length },
            ["layers"] = new JsonArray([.. image.Layers.Select(layer => layer.Descriptor.DeepClone())]),
        }.ToJsonString();
        var path = $"/v2/{_repository}/manifests/latest";
        registry.Proxy.Faults = request => request.Path == path ? ProxyFault.Answer(200, manifest) : null;
    }

    private async Task RefusedAsync(EngineFault fault)
    {
        var store = await _store.OpenAsync();
        var refusal = await Assert.ThrowsAsync<EngineException>(() => PullAsync(store));
        registry.Proxy.Faults = null;
        Assert.Equal(fault, refusal.Fault);
        Assert.Empty(store.List());
        Assert.Empty(_store.Chains);
        _store.IsQuiet();
        await _store.IsConsistentAsync(store);
    }

    private Task<PulledImage> PullAsync(ImageStore store, string? repository = null, PullOptions? options = null, IProgress<PullProgress>? progress = null, CancellationToken? ct = null) =>
        new ImagePuller(store, registry.Registries, options ?? new PullOptions()).PullAsync(registry.Name(repository ?? _repository), progress, ct ?? End);

    private sealed class Steps : IProgress<PullProgress>
    {
        private readonly ConcurrentQueue<PullProgress> _all = new();

        public Action<PullProgress>? On { get; init; }

        public IReadOnlyCollection<PullProgress> All => _all;

        public Dictionary<Digest, PullPhase> Last => _all.GroupBy(step => step.Layer).ToDictionary(group => group.Key, group => group.Last().Phase);

        public void Report(PullProgress value)
        {
            _all.Enqueue(value);
            On?.Invoke(value);
        }
    }
}
