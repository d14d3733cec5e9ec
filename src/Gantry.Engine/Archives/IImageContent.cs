using Gantry.Engine.Images;
using Gantry.Engine.Remote;

namespace Gantry.Engine.Archives;

/// <summary>Where an image's documents and blobs come from when it is copied: a registry, an archive, the store.</summary>
internal interface IImageContent
{
    /// <summary>A manifest or index, checked against its digest.</summary>
    Task<ImageDocument> ReadDocumentAsync(ContentReference reference, CancellationToken ct);

    Task<ImageConfig> ReadConfigAsync(ContentReference reference, CancellationToken ct);

    /// <summary>The bytes from the start; what receives them compares the digest. The caller disposes the stream.</summary>
    Task<Stream> OpenBlobAsync(ContentReference blob, CancellationToken ct);
}

/// <summary>An archive or layout as what is copied.</summary>
internal sealed class ArchiveContent(ImageArchive archive) : IImageContent
{
    public Task<ImageDocument> ReadDocumentAsync(ContentReference reference, CancellationToken ct) => Task.FromResult(archive.ReadDocument(reference));

    public Task<ImageConfig> ReadConfigAsync(ContentReference reference, CancellationToken ct) => Task.FromResult(archive.ReadConfig(reference));

    public Task<Stream> OpenBlobAsync(ContentReference blob, CancellationToken ct) => Task.FromResult(archive.OpenBlob(blob));
}

/// <summary>A repository as what is copied.</summary>
internal sealed class RemoteContent(RemoteRepository repository) : IImageContent
{
    public async Task<ImageDocument> ReadDocumentAsync(ContentReference reference, CancellationToken ct)
    {
        if (reference.Data is { } data) return ImageDocument.Read(data, reference.Digest, reference.Descriptor.MediaType);
        var document = await repository.GetManifestAsync(reference.Digest, cancellationToken: ct);
        return ImageDocument.Read(document.Content, document.Digest, reference.Descriptor.MediaType);
    }

    public async Task<ImageConfig> ReadConfigAsync(ContentReference reference, CancellationToken ct)
    {
        ImageConfigReader.RequireSize(reference.Size);
        await using var stream = new CheckedStream(await OpenBlobAsync(reference, ct), reference.Descriptor);
        var content = new MemoryStream();
        await stream.CopyToAsync(content, ct);
        return ImageConfigReader.Read(content.ToArray());
    }

    public async Task<Stream> OpenBlobAsync(ContentReference blob, CancellationToken ct) => blob.Data is { } data
        ? new MemoryStream(data.ToArray(), writable: false)
        : await repository.OpenBlobAsync(blob.Descriptor, 0, blob.Urls, ct);
}
