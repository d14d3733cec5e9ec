using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;

namespace Gantry.Engine.Archives;

/// <summary>
/// Takes an image of an archive into the store: its documents and blobs as if a registry had sent them, every digest compared, then the same steps as a pull.
/// </summary>
public sealed class ImageLoad(ImageStore store, PullOptions options)
{
    /// <param name="archive">Open until this ends.</param>
    /// <param name="image">One of its images.</param>
    /// <param name="name">What it is called in the store.</param>
    public Task<PulledImage> LoadAsync(ImageArchive archive, ArchivedImage image, ImageName name, IProgress<PullProgress>? progress, CancellationToken ct) =>
        LocalFaults.AsEngineAsync(() => RunAsync(archive, image, name, progress, ct));

    private async Task<PulledImage> RunAsync(ImageArchive archive, ArchivedImage image, ImageName name, IProgress<PullProgress>? progress, CancellationToken ct)
    {
        using var lease = await store.LeaseAsync(ct);
        var top = await KeepAsync(image.Reference);
        var resolved = await new ImageResolution((reference, _) => KeepAsync(reference), (reference, _) => Task.FromResult(archive.ReadConfig(reference)))
            .ResolveAsync(top, options.Platform, ct);

        var source = new ArchiveSource(archive);
        foreach (var blob in resolved.Manifest.Layers.Prepend(resolved.Manifest.Config).OfType<ContentReference>().DistinctBy(blob => blob.Digest))
        {
            await lease.AddAsync([blob.Digest], ct);
            await using var reading = await store.Blobs.OpenAsync(blob, source, bytes => progress?.Report(new PullProgress(blob.Digest, PullPhase.Downloading, bytes, blob.Size)), ct);
            await reading.Completion.WaitAsync(ct);
        }

        // By its digest: the name must not lead to it before it is whole.
        var byDigest = name.At(top.Descriptor.Digest);
        var wasThere = store.Find(byDigest) is not null;
        var pulled = await new ImagePuller(store, null, options).PullAsync(byDigest, progress, ct);
        var named = pulled.Image with { Name = name };
        if (name != byDigest)
        {
            await store.PutAsync(named, ct);
            if (!wasThere) await store.RemoveAsync(byDigest, ct);
        }

        return pulled with { Image = named };

        async Task<ImageDocument> KeepAsync(ContentReference reference)
        {
            var document = archive.ReadDocument(reference);
            await lease.AddAsync([document.Descriptor.Digest], ct);
            await store.Blobs.PutAsync(document.Descriptor.Digest, document.Content, ct);
            return document;
        }
    }

    private sealed class ArchiveSource(ImageArchive archive) : IBlobSource
    {
        public Task<Stream> OpenBlobAsync(ContentReference blob, long from, CancellationToken ct) => Task.FromResult(archive.OpenBlob(blob, from));
    }
}
