using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Archives;

/// <summary>
/// Copies images into a repository as they are, byte by byte, whatever media types they have: 1. all documents are read, 2. the blobs go, the largest first, 3. the
/// manifests, each after what it names, and the tag last. What is there already is not sent. With an image may go what was said about it since it was made: signatures,
/// lists of its parts (distribution-spec, "Listing Referrers").
/// </summary>
public sealed class ImageTransfer(RemoteRepository target, IProgress<TransferProgress>? progress = null)
{
    /// <summary>Blobs under way at a time; each has a block of some 100 KiB on either side.</summary>
    private const int Parallel = 4;

    private const int MaxDepth = 4, MaxDocuments = 1000;

    /// <summary>From a layout or archive.</summary>
    /// <param name="archive">Open until this ends.</param>
    /// <param name="image">One of its images.</param>
    /// <param name="reference">Under which it is pushed.</param>
    /// <param name="platform">Of an index, that manifest alone; null: everything.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>The digest of what was pushed.</returns>
    public Task<Digest> PushAsync(ImageArchive archive, ArchivedImage image, Reference reference, ImagePlatform? platform, CancellationToken ct) =>
        RunAsync(new ArchiveContent(archive), archive.ReadDocument(image.Reference), reference, platform, null, null, ct);

    /// <summary>From another repository, or another reference of the same one.</summary>
    /// <param name="source">Where from; of the same registry its blobs are mounted.</param>
    /// <param name="from">What is asked for there.</param>
    /// <param name="reference">Under which it is pushed.</param>
    /// <param name="platform">Of an index, that manifest alone; null: everything.</param>
    /// <param name="withReferrers">Manifests that have one of these as their subject go too, and those that have these, and so on.</param>
    /// <param name="ct">Ends it.</param>
    public async Task<Digest> CopyAsync(RemoteRepository source, Reference from, Reference reference, ImagePlatform? platform, bool withReferrers, CancellationToken ct)
    {
        var document = await source.GetManifestAsync(from, cancellationToken: ct);
        var top = ImageDocument.Read(document.Content, document.Digest, document.MediaType);
        RepositoryName? mount = source.Host == target.Host && source.Name != target.Name ? source.Name : null;
        return await RunAsync(new RemoteContent(source), top, reference, platform, mount, withReferrers ? new ReferrerCopy(source, target) : null, ct);
    }

    internal async Task<Digest> RunAsync(
        IImageContent content, ImageDocument top, Reference reference, ImagePlatform? platform, RepositoryName? mount, ReferrerCopy? referrers, CancellationToken ct)
    {
        // 1. What there is to copy.
        if (platform is not null) top = (await new ImageResolution(content.ReadDocumentAsync, content.ReadConfigAsync).ResolveAsync(top, platform, ct)).Manifest;
        if (reference.Digest is { } asked && asked != top.Descriptor.Digest)
            throw new EngineException(EngineFault.Usage, $"what is to be pushed as {asked} is {top.Descriptor.Digest}");
        var documents = new List<ImageDocument>();
        await CollectAsync(content, top, 0, documents, ct);
        for (var i = 0; referrers is not null && i < documents.Count; i++)
        {
            foreach (var referrer in await referrers.OfAsync(documents[i].Descriptor.Digest, ct))
                if (!IsKnown(documents, referrer.Digest)) await CollectAsync(content, await content.ReadDocumentAsync(referrer, ct), 0, documents, ct);
        }

        // 2. Blobs. Those that registries do not hold stay where they are.
        var blobs = documents.SelectMany(document => document.Layers.Prepend(document.Config)).OfType<ContentReference>()
            .Where(blob => !(LayerMediaType.IsForeign(blob.Descriptor.MediaType) && blob.Urls.Count > 0))
            .DistinctBy(blob => blob.Digest).OrderByDescending(blob => blob.Size);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = ct };
        await System.Threading.Tasks.Parallel.ForEachAsync(blobs, options, async (blob, stop) => await SendAsync(content, blob, mount, stop));

        // 3. Manifests.
        foreach (var document in documents.Where(document => document != top).Append(top))
        {
            var name = document == top ? reference : document.Descriptor.Digest;
            var pushed = await target.PutManifestAsync(name, document.Content, document.Descriptor.MediaType, ct);
            if (referrers is not null && !pushed.HasReferrers) await referrers.ListAsync(document.Descriptor.Digest, ct);
            progress?.Report(new TransferProgress(document.Descriptor.Digest, TransferPhase.Copied, document.Content.Length, document.Content.Length));
        }

        return top.Descriptor.Digest;
    }

    /// <summary>What a document names before itself.</summary>
    internal static async Task CollectAsync(IImageContent content, ImageDocument document, int depth, List<ImageDocument> into, CancellationToken ct)
    {
        if (depth > MaxDepth) throw new EngineException(EngineFault.TooLarge, $"indexes within indexes, more than {MaxDepth} deep");
        foreach (var entry in document.Manifests)
        {
            if (IsKnown(into, entry.Digest)) continue;
            await CollectAsync(content, await content.ReadDocumentAsync(entry, ct), depth + 1, into, ct);
        }

        if (into.Count >= MaxDocuments) throw new EngineException(EngineFault.TooLarge, $"more than {MaxDocuments} manifests");
        into.Add(document);
    }

    private static bool IsKnown(List<ImageDocument> documents, Digest digest) => documents.Exists(known => known.Descriptor.Digest == digest);

    private async Task SendAsync(IImageContent content, ContentReference blob, RepositoryName? mount, CancellationToken ct)
    {
        var sent = await target.UploadBlobAsync(blob.Descriptor, () => new DeferredStream(token => content.OpenBlobAsync(blob, token), Report), mount, ct);
        progress?.Report(new TransferProgress(blob.Digest, PhaseOf(sent), blob.Size, blob.Size));

        void Report(long bytes) => progress?.Report(new TransferProgress(blob.Digest, TransferPhase.Copying, bytes, blob.Size));
    }

    private static TransferPhase PhaseOf(BlobPush push) => push switch
    {
        BlobPush.Present => TransferPhase.Present,
        BlobPush.Mounted => TransferPhase.Mounted,
        _ => TransferPhase.Copied,
    };
}
