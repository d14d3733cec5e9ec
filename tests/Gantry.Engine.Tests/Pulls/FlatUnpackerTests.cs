using Gantry.Engine.Tests.Unpack;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>Images onto one directory, from the registry and from the store. Need root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class FlatUnpackerTests(PullFixture registry) : IDisposable
{
    private readonly TestStore _store = new();
    private readonly string _repository = PullFixture.NewRepository();

    private string Target => Path.Combine(_store.Root, "rootfs");

    private static CancellationToken End => TestContext.Current.CancellationToken;

    public void Dispose() => _store.Dispose();

    [Fact]
    [Trait("Pull", "B84")]
    public async Task Unpack_AppliesLayersInOrder_AlsoOneThatComesTwice()
    {
        var tar = new TarBytes().File("a", "first").End();
        await new TestImage().Gzip(tar).Plain(new TarBytes().File("a", "second").File("b", "b").End()).Gzip(tar).Gzip(new TarBytes().File(".wh.b").File("c", "c").End())
            .PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        var unpacked = await UnpackAsync(store);
        Assert.Equal("first", await File.ReadAllTextAsync(Path.Combine(Target, "a"), End));
        Assert.Equal(["a", "c"], Directory.EnumerateFileSystemEntries(Target).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal(["/bin/sh"], unpacked.Config.Execution.Cmd);
        Assert.Equal(4, registry.BlobRequests(_repository)); // config and three different layers
        _store.IsQuiet();
    }

    [Fact]
    public async Task Unpack_OfStoredImage_AsksNobody()
    {
        await TestImage.OfSize(2, 300_000, 1).PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        await new ImagePuller(store, registry.Registries, new PullOptions()).PullAsync(registry.Name(_repository), null, End);
        var unpacked = await new FlatUnpacker(store, null, new PullOptions()).UnpackAsync(registry.Name(_repository), Target, null, End);
        Assert.Empty(unpacked.Warnings);
        Assert.Equal("1", await File.ReadAllTextAsync(Path.Combine(Target, "data/top"), End));
    }

    [Fact]
    public async Task Unpack_OfTheFirstLayer_DoesNotWaitForTheOthers()
    {
        var image = TestImage.OfSize(2, 2_000_000, 2);
        await image.PushAsync(registry.Client, _repository);
        var second = $"/v2/{_repository}/blobs/{Digest.Of(image.Layers[1].Blob)}";
        // The second layer comes only after the first was unpacked; where that waited for it, neither would end.
        var isUnpacked = new TaskCompletionSource();
        registry.Proxy.Faults = request =>
        {
            if (request.Path == second) isUnpacked.Task.Wait(TimeSpan.FromSeconds(60));
            return null;
        };
        var first = Digest.Of(image.Layers[0].Blob);
        var steps = new Watch(step =>
        {
            if (step.Layer == first && step.Phase == PullPhase.Complete) isUnpacked.TrySetResult();
        });
        await new FlatUnpacker(await _store.OpenAsync(), registry.Registries, new PullOptions()).UnpackAsync(registry.Name(_repository), Target, steps, End);
        registry.Proxy.Faults = null;
        Assert.True(isUnpacked.Task.IsCompletedSuccessfully);
    }

    [Fact]
    [Trait("Pull", "C77")]
    public async Task Unpack_WithWrongDiffId_LeavesNoDirectory()
    {
        var good = new TarBytes().File("good", "good").End();
        await new TestImage().Gzip(good).Add(TestImage.Compress(good.ToArray()), Digest.Of("other"u8).ToString(), TestImage.GzipLayer).PushAsync(registry.Client, _repository);
        var store = await _store.OpenAsync();
        var refusal = await Assert.ThrowsAsync<EngineException>(() => UnpackAsync(store));
        Assert.Equal(EngineFault.Mismatch, refusal.Fault);
        Assert.False(Directory.Exists(Target));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Pull", "B47")]
    public async Task Unpack_OfAnImageWithoutARootEntry_MakesTheRootTheSameAnywhere(bool isThere)
    {
        await new TestImage().Gzip(new TarBytes().File("a", "a").End()).PushAsync(registry.Client, _repository);
        if (isThere) Directory.CreateDirectory(Target, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await UnpackAsync(await _store.OpenAsync());
        Assert.Equal("Directory 755 0:0 0.000000000 [] [] []", TreeSnapshot.Of(Target)[""].ToString());
    }

    [Fact]
    public async Task Unpack_ThatFails_LeavesTheRootsMetadata()
    {
        var good = new TarBytes().Directory("./", header => header.Mode(0b111_111_111).Uid(9)).File("good", "good").End();
        await new TestImage().Gzip(good).Add(TestImage.Compress(good.ToArray()), Digest.Of("other"u8).ToString(), TestImage.GzipLayer).PushAsync(registry.Client, _repository);
        Directory.CreateDirectory(Target, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var before = TreeSnapshot.Of(Target).ToString();
        var store = await _store.OpenAsync();
        await Assert.ThrowsAsync<EngineException>(() => UnpackAsync(store));
        Assert.Equal(before, TreeSnapshot.Of(Target).ToString());
    }

    [Fact]
    [Trait("Pull", "C77")]
    public async Task Unpack_ThatFails_LeavesAGivenDirectoryAsItWas()
    {
        var first = new TarBytes().Pax(("SCHILY.xattr.user.a", "1"), ("mtime", "5")).Directory("./", header => header.Mode(0b111_000_000).Uid(7)).File((byte[])[0xFF, 0xFE], "no text").File("a").End();
        var second = new TarBytes().File("b", "b").End();
        await new TestImage().Gzip(first).Add(TestImage.Compress(second.ToArray()), Digest.Of("other"u8).ToString(), TestImage.GzipLayer).PushAsync(registry.Client, _repository);
        Directory.CreateDirectory(Target);
        var before = Unpack.TreeSnapshot.Of(Target).ToString();
        var store = await _store.OpenAsync();
        Assert.Equal(EngineFault.Mismatch, (await Assert.ThrowsAsync<EngineException>(() => UnpackAsync(store))).Fault);
        Assert.Equal(before, Unpack.TreeSnapshot.Of(Target).ToString());
    }

    [Fact]
    public async Task Unpack_IntoDirectoryThatHoldsSomething_IsRefused()
    {
        await new TestImage().Gzip(new TarBytes().File("a", "a").End()).PushAsync(registry.Client, _repository);
        Directory.CreateDirectory(Target);
        await File.WriteAllTextAsync(Path.Combine(Target, "mine"), "mine", End);
        var store = await _store.OpenAsync();
        Assert.Equal(EngineFault.Usage, (await Assert.ThrowsAsync<EngineException>(() => UnpackAsync(store))).Fault);
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(Target, "mine"), End));
    }

    private Task<UnpackedImage> UnpackAsync(ImageStore store) =>
        new FlatUnpacker(store, registry.Registries, new PullOptions()).UnpackAsync(registry.Name(_repository), Target, null, End);

    private sealed class Watch(Action<PullProgress> on) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => on(value);
    }
}
