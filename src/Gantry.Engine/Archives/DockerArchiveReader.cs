using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Layers;
using Gantry.Oci;
using Gantry.Oci.Serialization;

namespace Gantry.Engine.Archives;

/// <summary>
/// What <c>docker save</c> and <c>podman save</c> write: <c>manifest.json</c> names configs, tags and layers by file. It has no manifest, so one is made; equal archives
/// make equal ones.
/// </summary>
internal static class DockerArchiveReader
{
    private const int MaxImages = 1000;

    private static readonly FrozenSet<string> Names = StrictJson.Names("Config", "RepoTags", "Layers");

    /// <summary>Null where this is none. Reads every layer once, for its digest.</summary>
    public static ImageArchive? TryOpen(IArchiveFiles files, CancellationToken ct)
    {
        if (LayoutReader.ReadBounded(files, "manifest.json") is not { } content) return null;

        // The strict reader wants an object around it.
        var images = StrictJson.Read(new ReadOnlyMemory<byte>([.. "{\"images\":"u8, .. content, (byte)'}']), "manifest.json",
            root => StrictJson.Fields(root, "manifest.json", StrictJson.Names("images")).Items("images", "manifest.json").Select(Read).ToList());
        if (images.Count > MaxImages) throw new EngineException(EngineFault.TooLarge, $"manifest.json has more than {MaxImages} images");

        var (names, made) = (new Dictionary<Digest, string>(), new Dictionary<Digest, byte[]>());
        var layers = new Dictionary<string, Descriptor>(StringComparer.Ordinal);
        var found = new List<ArchivedImage>();
        foreach (var image in images)
        {
            var config = LayoutReader.ReadBounded(files, image.Config) ?? throw Missing(image.Config);
            var manifest = Manifest(Made(MediaTypes.OciConfig, config), image.Layers.Select(Layer).ToList());
            var reference = new ContentReference(Made(MediaTypes.OciManifest, manifest));
            found.AddRange(image.Tags.DefaultIfEmpty().Select(tag => new ArchivedImage(tag, reference)));
        }

        return new ImageArchive(files, found, names, made);

        Descriptor Made(string mediaType, byte[] bytes)
        {
            made[Digest.Of(bytes)] = bytes;
            return new Descriptor(mediaType, Digest.Of(bytes), bytes.Length);
        }

        Descriptor Layer(string name)
        {
            if (layers.TryGetValue(name, out var known)) return known;
            var layer = Hash(files, name, ct);
            names[layer.Digest] = name;
            return layers[name] = layer;
        }
    }

    private static Entry Read(JsonElement element, int number)
    {
        var path = $"manifest.json[{number}]";
        var fields = StrictJson.Fields(element, path, Names);
        return new Entry(fields.Text("Config", path) ?? throw StrictJson.Invalid($"{path}.Config: missing"), fields.Texts("RepoTags", path), fields.Texts("Layers", path));
    }

    private static Descriptor Hash(IArchiveFiles files, string name, CancellationToken ct)
    {
        using var stream = files.Open(name) ?? throw Missing(name);
        using var hash = DigestAlgorithm.Sha256.CreateHash();
        var block = ArrayPool<byte>.Shared.Rent(BlobIngest.BlockBytes);
        var (size, compression) = (0L, (LayerCompression?)LayerCompression.None);
        while (stream.ReadAtLeast(block, LayerDecoder.SniffLength, throwOnEndOfStream: false) is var count and > 0)
        {
            ct.ThrowIfCancellationRequested();
            if (size == 0) compression = LayerDecoder.Sniff(block.AsSpan(0, count));
            hash.AppendData(block, 0, count);
            size += count;
        }

        ArrayPool<byte>.Shared.Return(block);
        var suffix = compression switch { LayerCompression.Gzip => "+gzip", LayerCompression.Zstd => "+zstd", _ => "" };
        return new Descriptor($"application/vnd.oci.image.layer.v1.tar{suffix}", Digest.FromHash(DigestAlgorithm.Sha256, hash.GetHashAndReset()), size);
    }

    private static byte[] Manifest(Descriptor config, List<Descriptor> layers)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("schemaVersion", 2);
            writer.WriteString("mediaType", MediaTypes.OciManifest);
            writer.WritePropertyName("config");
            OciJson.WriteDescriptor(writer, config);
            writer.WriteStartArray("layers");
            foreach (var layer in layers) OciJson.WriteDescriptor(writer, layer);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static EngineException Missing(string name) => new(EngineFault.InvalidDocument, $"the archive has no {StrictJson.Shown(name)}, which its manifest.json names");

    private sealed record Entry(string Config, IReadOnlyList<string> Tags, IReadOnlyList<string> Layers);
}
