using System.Buffers;
using System.Text.Json;
using Gantry.Engine.Images;
using Gantry.Oci;
using Gantry.Oci.Serialization;

namespace Gantry.Engine.Archives;

/// <summary>
/// Writes images as an OCI layout, into a folder or as one tar (oci-archive). Beside it stands docker's <c>manifest.json</c>, as docker 25 and later write it: so
/// <c>docker load</c>, <c>podman load</c>, <c>skopeo</c> and <c>ctr import</c> all take the same file. Blobs go as they are, each checked on its way.
/// </summary>
internal sealed class LayoutWriter(IArchiveSink sink, IImageContent content)
{
    private const string RefName = "org.opencontainers.image.ref.name", ContainerdName = "io.containerd.image.name";

    public async Task WriteAsync(IReadOnlyList<SavedImage> images, CancellationToken ct)
    {
        sink.Put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"u8);
        var written = new HashSet<Digest>();
        foreach (var image in images)
        {
            foreach (var document in image.Documents)
            {
                foreach (var blob in document.Layers.Append(document.Config).OfType<ContentReference>())
                {
                    if (!written.Add(blob.Digest)) continue;
                    await using var stream = new CheckedStream(await content.OpenBlobAsync(blob, ct), blob.Descriptor);
                    sink.Put(PathOf(blob.Digest), blob.Size, stream, ct);
                }

                if (written.Add(document.Descriptor.Digest)) sink.Put(PathOf(document.Descriptor.Digest), document.Content.Span);
            }
        }

        sink.Put("index.json", Json(writer => OciJson.WriteIndex(writer, images.Select(Named))));
        if (images.Any(image => image.Config is not null)) sink.Put("manifest.json", Json(writer => DockerManifest(writer, images)));
        sink.End();
    }

    public static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) write(writer);
        return buffer.WrittenSpan.ToArray();
    }

    private static Descriptor Named(SavedImage image) => image.Documents[^1].Descriptor with
    {
        Annotations = image.Name is null ? null : new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [ContainerdName] = image.Name.Canonical, [RefName] = image.Name.Canonical,
        },
        Platform = image.Documents[^1].Manifests.Count == 0 && image.Config?.Platform is { } platform ? new Platform(platform.Os, platform.Architecture, platform.Variant, platform.OsVersion) : null,
    };

    private static void DockerManifest(Utf8JsonWriter writer, IReadOnlyList<SavedImage> images)
    {
        writer.WriteStartArray();
        foreach (var group in images.Where(image => image.Config is not null).GroupBy(image => image.Manifest.Descriptor.Digest))
        {
            var manifest = group.First().Manifest;
            writer.WriteStartObject();
            writer.WriteString("Config", PathOf(manifest.Config!.Digest));
            WriteTags(writer, group);
            writer.WriteStartArray("Layers");
            foreach (var layer in manifest.Layers) writer.WriteStringValue(PathOf(layer.Digest));
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>docker takes tags alone for names.</summary>
    public static void WriteTags(Utf8JsonWriter writer, IEnumerable<SavedImage> images)
    {
        writer.WriteStartArray("RepoTags");
        foreach (var name in images.Select(image => image.Name).Where(name => name?.Tag is not null))
            writer.WriteStringValue(name!.At(name.Tag!.Value).ToString());
        writer.WriteEndArray();
    }

    private static string PathOf(Digest digest) => $"blobs/{digest.Algorithm.Name()}/{digest.Hex}";
}
