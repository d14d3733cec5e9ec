using Gantry.Engine.Content;
using Gantry.Engine.Remote;
using Gantry.Engine.Snapshots;
using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>
/// Where an image's content comes from: the store, and for what is not there the registry (none: the store alone). Documents are kept as they come. Each digest is
/// named in the lease before it is looked for.
/// </summary>
internal sealed class ImageOrigin(ImageStore store, RemoteRepository? remote, Lease lease) : IBlobSource
{
    /// <summary>Null where nothing is to be fetched.</summary>
    public IBlobSource? Source => remote is null ? null : this;

    public Lease Lease => lease;

    /// <summary>What the name points at now: a tag is always asked for, a digest only where it is not here.</summary>
    public async Task<ImageDocument> OpenTopAsync(ImageName name, CancellationToken ct)
    {
        if (name.Digest is { } digest)
        {
            await lease.AddAsync([digest], ct);
            if (await FindAsync(digest, store.Find(name)?.Top.MediaType, ct) is { } known) return known;
        }

        if (remote is not null) return await KeepAsync(await remote.GetManifestAsync(name.Reference, cancellationToken: ct), mediaType: null, ct);
        var stored = store.Find(name) ?? throw new EngineException(EngineFault.NotFound, $"there is no image {name} in the store");
        return await FindAsync(stored.Top.Digest, stored.Top.MediaType, ct)
            ?? throw new EngineException(EngineFault.NotFound, $"the manifest of {name} is not in the store; pull it again");
    }

    /// <summary>A document by its descriptor, in which it is said what kind it is.</summary>
    public async Task<ImageDocument> OpenManifestAsync(ContentReference reference, CancellationToken ct)
    {
        var (digest, type) = (reference.Digest, reference.Descriptor.MediaType);
        if (reference.Size > ManifestDocument.MaxBytes)
            throw new EngineException(EngineFault.TooLarge, $"the manifest {digest} is said to have {reference.Size} bytes, the limit is {ManifestDocument.MaxBytes}");
        await lease.AddAsync([digest], ct);
        if (reference.Data is { } data) return await KeepAsync(new RemoteDocument(type, digest, data), type, ct);
        if (await FindAsync(digest, type, ct) is { } known) return known;
        if (remote is null) throw new EngineException(EngineFault.NotFound, $"{digest} is not in the store");

        var fetched = await remote.GetManifestAsync(digest, cancellationToken: ct);
        return fetched.Content.Length == reference.Size
            ? await KeepAsync(fetched, type, ct)
            : throw new EngineException(EngineFault.Mismatch, $"the manifest {digest} has {fetched.Content.Length} bytes, its descriptor says {reference.Size}");
    }

    public async Task<ImageConfig> OpenConfigAsync(ContentReference reference, CancellationToken ct)
    {
        ImageConfigReader.RequireSize(reference.Size);
        await lease.AddAsync([reference.Digest], ct);
        await FetchAsync(reference, null, ct);
        var content = await store.Blobs.ReadAsync(reference.Digest, ImageConfigReader.MaxBytes, ct)
            ?? throw new EngineException(EngineFault.NotFound, $"{reference.Digest} is not in the store");
        return ImageConfigReader.Read(content);
    }

    /// <summary>Sees to it that a blob is in the store.</summary>
    public async Task FetchAsync(ContentReference blob, Action<long>? progress, CancellationToken ct)
    {
        try
        {
            await FetchOnceAsync(blob, progress, ct);
        }
        catch (StaleContentException)
        {
            await FetchOnceAsync(blob, progress, ct);
        }
    }

    public Task<Stream> OpenBlobAsync(ContentReference blob, long from, CancellationToken ct) =>
        remote!.OpenBlobAsync(blob.Descriptor, from, LayerMediaType.IsForeign(blob.Descriptor.MediaType) ? blob.Urls : null, ct);

    private async Task FetchOnceAsync(ContentReference blob, Action<long>? progress, CancellationToken ct)
    {
        await using var reading = await store.Blobs.OpenAsync(blob, Source, progress, ct);
        await reading.Completion.WaitAsync(ct);
    }

    private async Task<ImageDocument?> FindAsync(Digest digest, string? mediaType, CancellationToken ct) =>
        await store.Blobs.ReadAsync(digest, ManifestDocument.MaxBytes, ct) is { } content ? ImageDocument.Read(content, digest, mediaType) : null;

    private async Task<ImageDocument> KeepAsync(RemoteDocument fetched, string? mediaType, CancellationToken ct)
    {
        // Read first: what cannot be read is not kept.
        var document = ImageDocument.Read(fetched.Content, fetched.Digest, mediaType ?? fetched.MediaType);
        await lease.AddAsync([fetched.Digest], ct);
        await store.Blobs.PutAsync(fetched.Digest, fetched.Content, ct);
        return document;
    }
}
