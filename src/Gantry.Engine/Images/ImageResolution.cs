using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>What an image name leads to for one platform.</summary>
/// <param name="Top">What the name itself points at, a manifest or an index.</param>
/// <param name="Manifest">The one chosen (the same for an image of one platform).</param>
/// <param name="Config">Null for what is no container image; there wherever <paramref name="WhyNotUnpacked"/> is null.</param>
/// <param name="WhyNotUnpacked">The reason, for what is stored but cannot be unpacked here: an artifact, an encrypted layer, another system's files.</param>
/// <param name="Indexes">Every index on the way from the name to the manifest, <paramref name="Top"/> first.</param>
/// <param name="Warning">A sentence for the user, where there is something to say.</param>
public sealed record ResolvedImage(
    ImageDocument Top, ImageDocument Manifest, ImageConfig? Config, string? WhyNotUnpacked, IReadOnlyList<ImageDocument> Indexes, string? Warning);

/// <summary>
/// Finds the manifest for a platform: 1. every manifest of the index, and of the indexes in it, that has a platform is held against the wanted one, 2. the best fit is
/// taken, 3. where none fits, those that do not say their platform are asked for their config's. Attestations (<c>unknown/unknown</c>), entries of other types and
/// those that want features of the system are passed over.
/// </summary>
/// <param name="openManifest">Reads a document by its descriptor, checked.</param>
/// <param name="openConfig">Reads a config, checked, at most <see cref="ImageConfigReader.MaxBytes"/>.</param>
internal sealed class ImageResolution(
    Func<ContentReference, CancellationToken, Task<ImageDocument>> openManifest,
    Func<ContentReference, CancellationToken, Task<ImageConfig>> openConfig)
{
    /// <summary>Of indexes in indexes; and of documents fetched and entries looked at in all, so that an index cannot keep us busy.</summary>
    private const int MaxDepth = 4, MaxDocuments = 32, MaxEntries = 1000;

    /// <summary>Of the indexes in an index, which are all kept until a manifest is chosen.</summary>
    private const long MaxBytes = 2L * ManifestDocument.MaxBytes;

    private readonly List<Candidate> _candidates = [];
    private int _documents, _entries;
    private long _bytes;

    /// <param name="top">What the name points at.</param>
    /// <param name="platform">Null: this machine's, and an image of one platform is taken whatever it is for.</param>
    /// <exception cref="EngineException">NotFound: nothing for the platform. InvalidDocument, TooLarge, and what reading throws.</exception>
    public async Task<ResolvedImage> ResolveAsync(ImageDocument top, ImagePlatform? platform, CancellationToken ct)
    {
        var wanted = platform ?? HostPlatform.Current;
        if (top.View.Kind == ManifestKind.Manifest) return await OfSingleAsync(top, platform, wanted, ct);

        await CollectAsync(top, [top], inherited: null, ct);
        var best = _candidates.Where(candidate => candidate.Platform is not null)
            .Select(candidate => (candidate, Fit: PlatformFit.Of(candidate.Platform!, wanted)))
            .Where(ranked => ranked.Fit is not null)
            .OrderBy(ranked => ranked.Fit!.Value).FirstOrDefault().candidate; // stable: the first of equal ones
        if (best is not null) return await ReadAsync(top, await openManifest(best.Reference, ct), best.Path, ct);

        foreach (var candidate in _candidates.Where(candidate => candidate.Platform is null))
        {
            if (++_documents > MaxDocuments) break;
            var image = await ReadAsync(top, await openManifest(candidate.Reference, ct), candidate.Path, ct);
            if (image.Config?.Platform is { } found && PlatformFit.Of(found, wanted) is not null) return image;
        }

        var there = string.Join(", ", _candidates.Select(candidate => candidate.Platform?.ToString()).Where(text => text is not null).Distinct(StringComparer.Ordinal).Take(20));
        throw new EngineException(EngineFault.NotFound,
            $"there is no image for {wanted} in {top.Descriptor.Digest}{(there.Length == 0 ? "" : $", only for {StrictJson.Shown(there)}")}");
    }

    private async Task<ResolvedImage> OfSingleAsync(ImageDocument manifest, ImagePlatform? platform, ImagePlatform wanted, CancellationToken ct)
    {
        var image = await ReadAsync(manifest, manifest, [], ct);
        if (image.Config?.Platform is not { } found || PlatformFit.Of(found, wanted) is not null) return image;

        var mismatch = $"the image is for {StrictJson.Shown(found.ToString())}, not for {wanted}";
        return platform is null ? image with { Warning = mismatch } : throw new EngineException(EngineFault.NotFound, mismatch);
    }

    private async Task CollectAsync(ImageDocument index, ImageDocument[] path, ImagePlatform? inherited, CancellationToken ct)
    {
        foreach (var entry in index.Manifests)
        {
            if (++_entries > MaxEntries) throw new EngineException(EngineFault.TooLarge, $"the index lists more than {MaxEntries} manifests");
            var type = entry.Descriptor.MediaType;
            var isUnknown = entry.Descriptor.Platform is { Os: "unknown", Architecture: "unknown" };
            if (isUnknown || entry.OsFeatures.Count > 0) continue;

            var platform = ImagePlatform.Of(entry.Descriptor.Platform) ?? inherited;
            if (MediaTypes.IsManifest(type)) _candidates.Add(new Candidate(entry, platform, path));
            if (!MediaTypes.IsIndex(type)) continue;

            if (path.Length >= MaxDepth) throw new EngineException(EngineFault.TooLarge, $"indexes within indexes, more than {MaxDepth} deep");
            if (++_documents > MaxDocuments) throw new EngineException(EngineFault.TooLarge, $"more than {MaxDocuments} indexes within an index");
            if ((_bytes += entry.Size) > MaxBytes) throw new EngineException(EngineFault.TooLarge, $"the indexes within an index have more than {MaxBytes} bytes");
            var nested = await openManifest(entry, ct);
            await CollectAsync(nested, [.. path, nested], platform, ct);
        }
    }

    /// <summary>Manifest and config held against each other, or why this is no image to unpack.</summary>
    private async Task<ResolvedImage> ReadAsync(ImageDocument top, ImageDocument manifest, ImageDocument[] path, CancellationToken ct)
    {
        if (manifest.View.Kind != ManifestKind.Manifest)
            throw new EngineException(EngineFault.InvalidDocument, $"{manifest.Descriptor.Digest} is announced as a manifest and is an index");

        var whyNot = manifest.Config?.Descriptor.MediaType is MediaTypes.OciConfig or DockerConfig
            ? manifest.Layers.Select(layer => LayerMediaType.WhyNot(layer.Descriptor.MediaType)).FirstOrDefault(why => why is not null)
            : $"not a container image: its config is {manifest.Config?.Descriptor.MediaType ?? "missing"}";
        if (whyNot is not null) return new ResolvedImage(top, manifest, null, whyNot, path, null);

        var config = await openConfig(manifest.Config!, ct);
        if (config.DiffIds.Count != manifest.Layers.Count)
            throw new EngineException(EngineFault.InvalidDocument, $"the manifest has {manifest.Layers.Count} layers, its config {config.DiffIds.Count} diff_ids");
        whyNot = config.Platform?.Os is null or "linux" or "" ? null : $"an image for {StrictJson.Shown(config.Platform.Os)} is not unpacked on Linux";
        return new ResolvedImage(top, manifest, config, whyNot, path, null);
    }

    private const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    private sealed record Candidate(ContentReference Reference, ImagePlatform? Platform, ImageDocument[] Path);
}
