using System.Buffers;
using System.Globalization;
using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Oci;

namespace Gantry.Engine.Archives;

/// <summary>
/// Writes what <c>docker save</c> did before it knew layouts: configs and uncompressed layers by their digests, and <c>manifest.json</c>. For tools that take nothing
/// else. A layer is decompressed twice: its header wants the size first.
/// </summary>
internal sealed class DockerArchiveWriter(IArchiveSink sink, IImageContent content)
{
    public async Task WriteAsync(IReadOnlyList<SavedImage> images, CancellationToken ct)
    {
        var written = new HashSet<Digest>();
        foreach (var image in images)
        {
            if (image.Config is not { } config)
                throw new EngineException(EngineFault.Unsupported, $"{image.Name} is no container image: a docker archive cannot hold it");
            for (var i = 0; i < config.DiffIds.Count; i++)
            {
                if (written.Add(config.DiffIds[i])) await WriteLayerAsync(image.Manifest.Layers[i], config.DiffIds[i], ct);
            }

            if (!written.Add(image.Manifest.Config!.Digest)) continue;
            await using var stream = new CheckedStream(await content.OpenBlobAsync(image.Manifest.Config, ct), image.Manifest.Config.Descriptor);
            sink.Put(ConfigName(image), image.Manifest.Config.Size, stream, ct);
        }

        sink.Put("manifest.json", LayoutWriter.Json(writer =>
        {
            writer.WriteStartArray();
            foreach (var group in images.GroupBy(image => image.Manifest.Descriptor.Digest))
            {
                writer.WriteStartObject();
                writer.WriteString("Config", ConfigName(group.First()));
                LayoutWriter.WriteTags(writer, group);
                writer.WriteStartArray("Layers");
                foreach (var diffId in group.First().Config!.DiffIds) writer.WriteStringValue(LayerName(diffId));
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }));
        sink.End();
    }

    private async Task WriteLayerAsync(ContentReference layer, Digest diffId, CancellationToken ct)
    {
        long size = 0;
        await using (var compressed = new CheckedStream(await content.OpenBlobAsync(layer, ct), layer.Descriptor))
        {
            using var counted = Decoding.Open(compressed, new WindowFiles(Path.GetTempPath()), out _);
            var block = ArrayPool<byte>.Shared.Rent(BlobIngest.BlockBytes);
            while (counted.Read(block) is var count and > 0)
            {
                ct.ThrowIfCancellationRequested();
                size += count;
            }

            ArrayPool<byte>.Shared.Return(block);
        }

        await using var again = new CheckedStream(await content.OpenBlobAsync(layer, ct), layer.Descriptor);
        using var plain = Decoding.Open(again, new WindowFiles(Path.GetTempPath()), out _);
        using var hashed = new CheckedStream(plain, new Descriptor(layer.Descriptor.MediaType, diffId, size));
        sink.Put(LayerName(diffId), size, hashed, ct);
    }

    private static string ConfigName(SavedImage image) => $"{image.Manifest.Config!.Digest.Hex}.json";

    private static string LayerName(Digest diffId) => string.Create(CultureInfo.InvariantCulture, $"{diffId.Hex}.tar");
}
