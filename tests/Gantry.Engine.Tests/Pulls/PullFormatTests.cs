using System.Text.Json.Nodes;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>What an image may consist of. Need root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class PullFormatTests(PullFixture registry) : PullTest(registry)
{
    [Theory]
    [Trait("Pull", "B79")]
    [Trait("Pull", "B80")]
    [InlineData(TestImage.TarLayer, "gzip", "gzip")]
    [InlineData(TestImage.GzipLayer, "zstd", "zstd")]
    [InlineData(TestImage.GzipLayer, "tar", "a tar without compression")]
    [InlineData(TestImage.ZstdLayer, "gzip", "gzip")]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar", "gzip", "gzip")]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip", null)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar.zstd", "zstd", null)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar", "tar", null)]
    [InlineData(TestImage.ZstdLayer, "zstd", null)]
    [InlineData(TestImage.GzipLayer, "gzip", null)]
    [InlineData(TestImage.TarLayer, "tar", null)]
    public async Task Pull_OfLayerByItsBytes_WarnsWhereItIsCalledOtherwise(string mediaType, string form, string? warned)
    {
        var tar = new TarBytes().File("x", "x").End().ToArray();
        var blob = form switch { "gzip" => TestImage.Compress(tar), "zstd" => Zstd.Compress(tar), _ => tar };
        await new TestImage().Add(blob, Digest.Of(tar).ToString(), mediaType).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        var pulled = await PullAsync(store);
        var flat = await new FlatUnpacker(store, Registry.Registries, new PullOptions()).UnpackAsync(pulled.Image.Name, Path.Combine(Store.Root, "rootfs"), null, End);
        Assert.Single(Store.Layers);
        Assert.Equal("x", await File.ReadAllTextAsync(Path.Combine(Store.Root, "rootfs", "x"), End));
        foreach (var warnings in (IReadOnlyList<string>[])[pulled.Warnings, flat.Warnings])
        {
            if (warned is null) Assert.Empty(warnings);
            else Assert.Contains($"and is {warned}:", Assert.Single(warnings), StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Pull", "C104")]
    [Trait("Pull", "B77")]
    public async Task Pull_OfZstdChunkedWithAnotherTable_HasWhatTheTarHas()
    {
        // As containers/storage lays it out: the table in a skippable frame, where it lies and its digest in annotations, and a footer that says so once more.
        var tar = new TarBytes().File("real", "real").End().ToArray();
        var table = Zstd.Compress("""{"version":1,"entries":[{"type":"reg","name":"evil","mode":2541,"size":4,"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}]}"""u8.ToArray());
        var content = Zstd.Compress(tar);
        byte[] footer = [.. BitConverter.GetBytes((long)content.Length + 8), .. BitConverter.GetBytes((long)table.Length), .. BitConverter.GetBytes(300L), .. BitConverter.GetBytes(1L), .. "GNUlInUx"u8];
        byte[] blob = [.. content, .. Zstd.Skippable(table), .. Zstd.Skippable(footer)];
        var image = new TestImage().Add(blob, Digest.Of(tar).ToString(), TestImage.ZstdLayer);
        image.Layers[0].Descriptor["annotations"] = new JsonObject
        {
            ["io.github.containers.zstd-chunked.manifest-checksum"] = Digest.Of(table).ToString(),
            ["io.github.containers.zstd-chunked.manifest-position"] = $"{content.Length + 8}:{table.Length}:300:1",
            ["containerd.io/snapshot/stargz/toc.digest"] = Digest.Of(table).ToString(),
        };
        await image.PushAsync(Registry.Client, Repository);
        await HasOnlyAsync("real");
        Assert.Equal(2, Registry.BlobRequests(Repository)); // config and layer, each once and whole
    }

    [Fact]
    [Trait("Pull", "C103")]
    public async Task Pull_OfImageWithAccelerators_AsksForNoneOfThem()
    {
        var subject = await new TestImage().Gzip(new TarBytes().File("real", "real").End()).PushAsync(Registry.Client, Repository);
        var subjectSize = (await Registry.Client.GetByteArrayAsync($"/v2/{Repository}/manifests/{subject}", End)).Length;
        var poison = "{\"chunks\":[{\"offset\":18446744073709551615,\"digest\":\"sha256:00\"}]}"u8.ToArray();
        await Registry.Client.PushBlobAsync(Repository, poison);
        foreach (var type in (string[])["application/vnd.amazon.soci.index.v1+json", "application/vnd.gantry.layer.checkpoints.v1", "application/vnd.gantry.layer.chunks.v1"])
        {
            await Registry.Client.PushManifestAsync(Repository, null, new JsonObject
            {
                ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest, ["artifactType"] = type,
                ["config"] = new JsonObject { ["mediaType"] = "application/vnd.oci.empty.v1+json", ["digest"] = Digest.Of(poison).ToString(), ["size"] = poison.Length },
                ["layers"] = new JsonArray(new JsonObject { ["mediaType"] = type, ["digest"] = Digest.Of(poison).ToString(), ["size"] = poison.Length }),
                ["subject"] = new JsonObject { ["mediaType"] = MediaTypes.OciManifest, ["digest"] = subject.ToString(), ["size"] = subjectSize },
            }.ToJsonString());
        }

        await HasOnlyAsync("real");
        Assert.DoesNotContain(Registry.Proxy.Counts.Keys, request => request.Contains($"{Repository}/referrers", StringComparison.Ordinal));
        Assert.Equal(2, Registry.BlobRequests(Repository));
    }

    [Fact]
    [Trait("Pull", "B87")]
    public async Task Pull_WithInlineData_AsksForNoBlob()
    {
        var image = new TestImage().Gzip(new TarBytes().File("x", "x").End());
        image.Layers[0].Descriptor["data"] = Convert.ToBase64String(image.Layers[0].Blob);
        await image.PushAsync(Registry.Client, Repository);
        await PullAsync(await Store.OpenAsync());
        Assert.Equal(1, Registry.BlobRequests(Repository)); // the config
        Assert.Single(Store.Layers);
    }

    [Fact]
    [Trait("Pull", "B102")]
    public async Task Pull_OfArtifact_StoresItUnopened()
    {
        var image = new TestImage { ConfigMediaType = "application/vnd.example.config+json" };
        image.Add("not a tar"u8.ToArray(), Digest.Of("x"u8).ToString(), "application/vnd.example.thing");
        await image.PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        var pulled = await PullAsync(store);
        Assert.Contains("not a container image", pulled.WhyNotUnpacked, StringComparison.Ordinal);
        Assert.Equal(3, Store.Blobs.Length);
        Assert.Empty(Store.Layers);
        var target = Path.Combine(Store.Root, "rootfs");
        var refusal = await Assert.ThrowsAsync<EngineException>(() => new FlatUnpacker(store, Registry.Registries, new PullOptions()).UnpackAsync(pulled.Image.Name, target, null, End));
        Assert.Equal(EngineFault.Unsupported, refusal.Fault);
        Assert.False(Directory.Exists(target));
    }

    [Fact]
    [Trait("Pull", "B103")]
    public async Task Pull_OfImageWithoutLayers_IsAnEmptyStack()
    {
        await new TestImage().PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        Assert.Empty(store.FindChain((await PullAsync(store)).Image)!.Folders);
    }

    /// <summary>As layers, and as a tree.</summary>
    private async Task HasOnlyAsync(string file)
    {
        var store = await Store.OpenAsync();
        var pulled = await PullAsync(store);
        var rootfs = Path.Combine(Store.Root, "rootfs");
        await new FlatUnpacker(store, null, new PullOptions()).UnpackAsync(pulled.Image.Name, rootfs, null, End);
        foreach (var tree in (string[])[rootfs, Assert.Single(store.FindChain(pulled.Image)!.Folders)])
            Assert.Equal([file], Directory.EnumerateFileSystemEntries(tree).Select(path => Path.GetFileName(path)));
    }
}
