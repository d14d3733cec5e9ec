using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.Oci;

namespace Gantry.TestKit;

/// <summary>Builds an OCI layout in a folder: images of layers given as tar bytes, indexes of them, names for them.</summary>
public sealed class LayoutFolder
{
    private readonly JsonArray _index = [];

    public LayoutFolder(string path)
    {
        Path = path;
        Directory.CreateDirectory(System.IO.Path.Combine(path, "blobs", "sha256"));
        File.WriteAllText(System.IO.Path.Combine(path, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    public string Path { get; }

    public string PathOf(Digest digest) => System.IO.Path.Combine(Path, "blobs", "sha256", digest.Hex);

    /// <param name="name">Its ref.name in the index; null: not named there at all.</param>
    /// <param name="config">The config's <c>config</c> object.</param>
    /// <param name="layers">Bottom first; stored as gzip.</param>
    /// <returns>Its descriptor, to be put into an index.</returns>
    public JsonObject Image(string? name, JsonObject config, string architecture = "amd64", params byte[][] layers)
    {
        var described = new JsonArray();
        var (diffIds, history) = (new JsonArray(), new JsonArray());
        foreach (var layer in layers)
        {
            diffIds.Add(Digest.Of(layer).ToString());
            history.Add(new JsonObject { ["created"] = "2026-11-01T10:00:00Z", ["created_by"] = "ADD layer", ["comment"] = "made by a test" });
            described.Add(Blob("application/vnd.oci.image.layer.v1.tar+gzip", Gzip(layer)));
        }

        history.Add(new JsonObject { ["created"] = "2026-11-01T10:00:01Z", ["created_by"] = "CMD \u001b[31mred", ["empty_layer"] = true });
        var document = new JsonObject
        {
            ["architecture"] = architecture, ["os"] = "linux", ["created"] = "2026-11-01T10:00:01Z", ["config"] = config.DeepClone(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = diffIds }, ["history"] = history,
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Blob(MediaTypes.OciConfig, Encoding.UTF8.GetBytes(document.ToJsonString())), ["layers"] = described,
        };
        var descriptor = Blob(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()));
        descriptor["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
        if (name is not null) Add(descriptor, name);
        return descriptor;
    }

    public JsonObject Index(string name, params JsonObject[] manifests)
    {
        var index = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = new JsonArray([.. manifests.Select(each => each.DeepClone())]) };
        var descriptor = Blob(MediaTypes.OciIndex, Encoding.UTF8.GetBytes(index.ToJsonString()));
        Add(descriptor, name);
        return descriptor;
    }

    /// <summary>Writes a blob and describes it.</summary>
    public JsonObject Blob(string mediaType, byte[] content)
    {
        var digest = Digest.Of(content);
        File.WriteAllBytes(PathOf(digest), content);
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = digest.ToString(), ["size"] = content.Length };
    }

    private void Add(JsonObject descriptor, string name)
    {
        var entry = (JsonObject)descriptor.DeepClone();
        entry["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = name };
        _index.Add(entry);
        File.WriteAllText(System.IO.Path.Combine(Path, "index.json"), new JsonObject { ["schemaVersion"] = 2, ["manifests"] = _index.DeepClone() }.ToJsonString());
    }

    private static byte[] Gzip(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        return compressed.ToArray();
    }
}
