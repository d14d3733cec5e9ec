using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Archives;

/// <summary>The store as what is copied, and behind it the registries that its images came from.</summary>
internal sealed class StoreContent(ImageStore store) : IImageContent
{
    private readonly List<RemoteContent> _sources = [];

    public void AddSource(RemoteRepository repository) => _sources.Add(new RemoteContent(repository));

    public async Task<ImageDocument> ReadDocumentAsync(ContentReference reference, CancellationToken ct) =>
        await store.Blobs.ReadAsync(reference.Digest, ManifestDocument.MaxBytes, ct) is { } content
            ? ImageDocument.Read(content, reference.Digest, reference.Descriptor.MediaType)
            : await FromSourcesAsync(reference, source => source.ReadDocumentAsync(reference, ct));

    public async Task<ImageConfig> ReadConfigAsync(ContentReference reference, CancellationToken ct) =>
        await store.Blobs.ReadAsync(reference.Digest, ImageConfigReader.MaxBytes, ct) is { } content
            ? ImageConfigReader.Read(content)
            : await FromSourcesAsync(reference, source => source.ReadConfigAsync(reference, ct));

    public async Task<Stream> OpenBlobAsync(ContentReference blob, CancellationToken ct) =>
        store.OpenBlob(blob.Digest) ?? await FromSourcesAsync(blob, source => source.OpenBlobAsync(blob, ct));

    private async Task<T> FromSourcesAsync<T>(ContentReference reference, Func<RemoteContent, Task<T>> read)
    {
        for (var i = 0; i < _sources.Count; i++)
        {
            try
            {
                return await read(_sources[i]);
            }
            catch (EngineException fault) when (fault.Fault == EngineFault.NotFound && i < _sources.Count - 1)
            {
                // Several images, each with a registry of its own: the next one's may have it.
            }
        }

        throw new EngineException(EngineFault.NotFound, $"{reference.Digest} is not in the store: it was discarded after it was unpacked; pull the image again");
    }
}
