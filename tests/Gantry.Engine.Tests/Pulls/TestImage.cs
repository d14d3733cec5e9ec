using System.IO.Compression;
using System.Text.Json.Nodes;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>An image made in a test, each part of which can be made wrong before it is pushed.</summary>
internal sealed class TestImage
{
    public const string GzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip", TarLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string ZstdLayer = "application/vnd.oci.image.layer.v1.tar+zstd";

    public List<(byte[] Blob, string DiffId, JsonObject Descriptor)> Layers { get; } = [];

    public string ConfigMediaType { get; set; } = MediaTypes.OciConfig;

    /// <summary>A layer as tools make it.</summary>
    public TestImage Gzip(TarBytes tar) => Add(Compress(tar.ToArray()), Digest.Of(tar.ToArray()).ToString(), GzipLayer);

    public TestImage Plain(TarBytes tar) => Add(tar.ToArray(), Digest.Of(tar.ToArray()).ToString(), TarLayer);

    public TestImage Add(byte[] blob, string diffId, string mediaType)
    {
        Layers.Add((blob, diffId, new JsonObject { ["mediaType"] = mediaType, ["digest"] = Digest.Of(blob).ToString(), ["size"] = blob.Length }));
        return this;
    }

    /// <summary>Layers of pseudo-random files, several megabytes each, so that there is something to interrupt.</summary>
    public static TestImage OfSize(int layers, int bytes, int seed)
    {
        var image = new TestImage();
        for (var number = 0; number < layers; number++)
        {
            var content = new byte[bytes];
            new Random(seed + number).NextBytes(content);
            image.Gzip(new TarBytes().Directory("data").File($"data/layer-{number}", content).File("data/top", $"{number}").End());
        }

        return image;
    }

    public string ConfigJson => new JsonObject
    {
        ["os"] = "linux", ["architecture"] = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64",
        ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/bin/sh") },
        ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. Layers.Select(layer => JsonValue.Create(layer.DiffId))]) },
    }.ToJsonString();

    /// <summary>Pushes everything and returns the manifest's digest.</summary>
    public async Task<Digest> PushAsync(HttpClient client, string repository, string tag = "latest")
    {
        var config = System.Text.Encoding.UTF8.GetBytes(ConfigJson);
        await client.PushBlobAsync(repository, config);
        foreach (var layer in Layers) await client.PushBlobAsync(repository, layer.Blob);
        return await client.PushManifestAsync(repository, tag, new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = new JsonObject { ["mediaType"] = ConfigMediaType, ["digest"] = Digest.Of(config).ToString(), ["size"] = config.Length },
            ["layers"] = new JsonArray([.. Layers.Select(layer => layer.Descriptor.DeepClone())]),
        }.ToJsonString());
    }

    public static byte[] Compress(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        return compressed.ToArray();
    }
}
