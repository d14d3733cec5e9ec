using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Layers;
using Gantry.Layers.Tar;
using Gantry.Oci;

namespace Gantry.Benchmarks.Pulls;

/// <param name="Size">Of the blob.</param>
/// <param name="Bytes">Of the archive in it.</param>
/// <param name="Files">Entries that are no directories.</param>
internal sealed record BenchLayer(Digest Digest, Digest DiffId, long Size, long Bytes, int Files, JsonNode Descriptor);

/// <summary>An image of an OCI layout, and where the registry has it.</summary>
internal sealed record BenchImage(string Name, string Layout, string Tag, string Host, IReadOnlyList<BenchLayer> Layers)
{
    public string Repository => $"bench/{Name}";

    public string Reference => $"{Host}/{Repository}:latest";

    public long Bytes => Layers.Sum(layer => layer.Bytes);

    public long Size => Layers.Sum(layer => layer.Size);

    public int Files => Layers.Sum(layer => layer.Files);

    public double Gigabytes => Bytes / 1e9;

    public string Description =>
        $"{Name}: {Bytes / 1e6:0} MB in {Files} files, {Layers.Count} layers of {string.Join(" + ", Layers.Select(layer => $"{layer.Size / 1e6:0}"))} MB";

    /// <summary>An image of that one layer alone.</summary>
    public string ReferenceOf(BenchLayer layer) => $"{Host}/{Repository}:layer-{layer.Digest.Hex[..12]}";

    /// <summary>The first image that the layout's index names; of an index, its first.</summary>
    public static BenchImage Read(string layout, string host)
    {
        var top = Parse(Path.Combine(layout, "index.json"))["manifests"]![0]!;
        var tag = (string?)top["annotations"]?["org.opencontainers.image.ref.name"] ?? "";
        var manifest = Parse(PathOf(layout, top));
        if (manifest["manifests"] is { } several) manifest = Parse(PathOf(layout, several[0]!));
        var diffIds = Parse(PathOf(layout, manifest["config"]!))["rootfs"]!["diff_ids"]!.AsArray();
        var layers = manifest["layers"]!.AsArray().Zip(diffIds).AsParallel().AsOrdered().Select(pair => ReadLayer(layout, pair.First!, (string)pair.Second!)).ToList();
        return new BenchImage(Path.GetFileName(layout), layout, tag, host, layers);
    }

    private static BenchLayer ReadLayer(string layout, JsonNode descriptor, string diffId)
    {
        using var blob = File.OpenRead(PathOf(layout, descriptor));
        using var counted = new CountedStream(LayerDecoder.Open(blob));
        using var reader = new TarReader(counted);
        var files = 0;
        while (reader.Next()) files += reader.Entry.Type == TarEntryType.Directory ? 0 : 1;
        reader.Drain();
        return new BenchLayer(Digest.Parse((string)descriptor["digest"]!), Digest.Parse(diffId), blob.Length, counted.Bytes, files, descriptor.DeepClone());
    }

    private static JsonNode Parse(string path) => JsonNode.Parse(File.ReadAllBytes(path)) ?? throw new JsonException($"{path} is empty");

    private static string PathOf(string layout, JsonNode descriptor) => Path.Combine(layout, "blobs", ((string)descriptor["digest"]!).Replace(':', '/'));

    private sealed class CountedStream(Stream inner) : Stream
    {
        public long Bytes { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => Bytes; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var count = inner.Read(buffer);
            Bytes += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
