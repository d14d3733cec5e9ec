using Gantry.Engine.Images;

namespace Gantry.Engine.Archives;

/// <summary>The forms that images leave the store in.</summary>
public enum ArchiveFormat
{
    /// <summary>A layout in one tar, with docker's manifest.json beside it: for docker, podman, skopeo and ctr.</summary>
    OciArchive,

    /// <summary>What docker save wrote before layouts: uncompressed layers.</summary>
    DockerArchive,

    /// <summary>A layout in a folder.</summary>
    OciFolder,
}

/// <summary>Writes stored images to an archive. A layer that is no longer what it was when it came ends it with Mismatch; what was written then is no archive.</summary>
public static class ImageSave
{
    /// <param name="output">Flushed, not disposed.</param>
    public static Task WriteAsync(ImageStore store, IReadOnlyList<StoredImage> images, ArchiveFormat format, Stream output, CancellationToken ct) =>
        LocalFaults.AsEngineAsync(async () =>
        {
            var buffered = new BufferedStream(output, 1 << 20);
            await RunAsync(store, images, format, new TarSink(buffered), ct);
            await buffered.FlushAsync(ct);
        });

    /// <param name="folder">Is made where it is missing, and must be empty.</param>
    public static Task WriteFolderAsync(ImageStore store, IReadOnlyList<StoredImage> images, string folder, CancellationToken ct) =>
        LocalFaults.AsEngineAsync(async () =>
        {
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new EngineException(EngineFault.Usage, $"{folder} is not empty");
            Directory.CreateDirectory(folder);
            await RunAsync(store, images, ArchiveFormat.OciFolder, new FolderSink(folder), ct);
        });

    private static async Task RunAsync(ImageStore store, IReadOnlyList<StoredImage> images, ArchiveFormat format, IArchiveSink sink, CancellationToken ct)
    {
        using var lease = await store.LeaseAsync(ct);
        await lease.AddAsync(images.SelectMany(image => image.Uses), ct);
        var saved = new List<SavedImage>();
        foreach (var image in images) saved.Add(new SavedImage(image.Name, await store.ReadManifestAsync(image, ct), await store.ReadConfigAsync(image, ct)));

        var content = new StoreContent(store);
        if (format == ArchiveFormat.DockerArchive) await new DockerArchiveWriter(sink, content).WriteAsync(saved, ct);
        else await new LayoutWriter(sink, content).WriteAsync(saved, ct);
    }

    private sealed class StoreContent(ImageStore store) : IImageContent
    {
        public async Task<ImageDocument> ReadDocumentAsync(ContentReference reference, CancellationToken ct) =>
            ImageDocument.Read(await ReadAsync(reference, Oci.ManifestDocument.MaxBytes, ct), reference.Digest, reference.Descriptor.MediaType);

        public async Task<ImageConfig> ReadConfigAsync(ContentReference reference, CancellationToken ct) =>
            ImageConfigReader.Read(await ReadAsync(reference, ImageConfigReader.MaxBytes, ct));

        public Task<Stream> OpenBlobAsync(ContentReference blob, CancellationToken ct) => Task.FromResult(store.OpenBlob(blob.Digest) ?? throw Missing(blob));

        private async Task<byte[]> ReadAsync(ContentReference reference, int maxBytes, CancellationToken ct) =>
            await store.Blobs.ReadAsync(reference.Digest, maxBytes, ct) ?? throw Missing(reference);

        private static EngineException Missing(ContentReference blob) =>
            new(EngineFault.NotFound, $"{blob.Digest} is not in the store: it was discarded after it was unpacked; pull the image again");
    }
}
