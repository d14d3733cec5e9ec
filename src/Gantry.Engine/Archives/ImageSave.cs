using Gantry.Engine.Images;
using Gantry.Engine.Remote;

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
    /// <param name="registries">All platforms are written, and what the store does not have comes from there, straight into the archive. Null: the platform that was pulled.</param>
    public static Task WriteAsync(
        ImageStore store, IReadOnlyList<StoredImage> images, ArchiveFormat format, Stream output, RemoteRegistries? registries, CancellationToken ct) =>
        LocalFaults.AsEngineAsync(async () =>
        {
            var buffered = new BufferedStream(output, 1 << 20);
            await RunAsync(store, images, format, new TarSink(buffered), registries, ct);
            await buffered.FlushAsync(ct);
        });

    /// <param name="folder">Is made where it is missing, and must be empty.</param>
    /// <inheritdoc cref="WriteAsync"/>
    public static Task WriteFolderAsync(ImageStore store, IReadOnlyList<StoredImage> images, string folder, RemoteRegistries? registries, CancellationToken ct) =>
        LocalFaults.AsEngineAsync(async () =>
        {
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new EngineException(EngineFault.Usage, $"{folder} is not empty");
            Directory.CreateDirectory(folder);
            await RunAsync(store, images, ArchiveFormat.OciFolder, new FolderSink(folder), registries, ct);
        });

    private static async Task RunAsync(
        ImageStore store, IReadOnlyList<StoredImage> images, ArchiveFormat format, IArchiveSink sink, RemoteRegistries? registries, CancellationToken ct)
    {
        if (format == ArchiveFormat.DockerArchive && registries is not null) throw new EngineException(EngineFault.Usage, "a docker archive holds one platform of an image");
        using var lease = await store.LeaseAsync(ct);
        await lease.AddAsync(images.SelectMany(image => image.Uses), ct);
        var content = new StoreContent(store);
        var saved = new List<SavedImage>();
        foreach (var image in images)
        {
            var single = new SavedImage(image.Name, await store.ReadManifestAsync(image, ct), await store.ReadConfigAsync(image, ct));
            if (registries is null)
            {
                saved.Add(single);
                continue;
            }

            content.AddSource(registries.Open(image.Name));
            var documents = new List<ImageDocument>();
            await ImageTransfer.CollectAsync(content, await content.ReadDocumentAsync(new ContentReference(image.Top), ct), 0, documents, ct);
            saved.Add(single with { Documents = documents });
        }

        if (format == ArchiveFormat.DockerArchive) await new DockerArchiveWriter(sink, content).WriteAsync(saved, ct);
        else await new LayoutWriter(sink, content).WriteAsync(saved, ct);
    }
}
