using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Engine.Snapshots;
using Gantry.Engine.Unpack;
using Gantry.Oci;

namespace Gantry.Engine;

/// <summary>
/// Pulls images into a store: 1. what the name points at, 2. the manifest for the platform, 3. its config, 4. the layers in parallel, the largest first, each of them
/// in one pass from the network through both digests into files, 5. the chain, 6. the name. Each step leaves whole things only, so a pull that fails, is cancelled
/// or killed changes nothing that can be seen but blobs and layers that the next one need not fetch. Files unpacked are not synced: <see cref="ImageStore.SettleAsync(string)"/>.
/// </summary>
/// <param name="store">Where to.</param>
/// <param name="registries">Where from; null: the store alone, to bring back layers out of blobs.</param>
/// <param name="options">How.</param>
public sealed class ImagePuller(ImageStore store, RemoteRegistries? registries, PullOptions options)
{
    /// <exception cref="EngineException">Anything that goes wrong, by its fault; Mismatch where what came is not what was announced.</exception>
    /// <exception cref="Layers.LayerException">A layer that is what its digest says, and broken or hostile.</exception>
    /// <exception cref="OperationCanceledException">After everything under way has stopped and its staging is removed.</exception>
    public Task<PulledImage> PullAsync(ImageName name, IProgress<PullProgress>? progress = null, CancellationToken ct = default)
    {
        options.Check();
        return LocalFaults.AsEngineAsync(() => RunAsync(name, progress, ct));
    }

    private async Task<PulledImage> RunAsync(ImageName name, IProgress<PullProgress>? progress, CancellationToken ct)
    {
        using var lease = await store.LeaseAsync(ct);
        var origin = new ImageOrigin(store, registries?.Open(name), lease);

        // 1. to 3. Documents.
        var top = await origin.OpenTopAsync(name, ct);
        var resolution = new ImageResolution(origin.OpenManifestAsync, origin.OpenConfigAsync);
        var resolved = await resolution.ResolveAsync(top, options.Platform, ct);
        var image = Describe(name, resolved, registries is null ? store.Find(name)?.Pulled : null);
        await lease.AddAsync(image.Uses, ct);

        // 4. and 5. Layers.
        var warnings = new List<string>();
        if (resolved.Warning is not null) warnings.Add(resolved.Warning);
        var layers = new LayerPull(store, origin, options, progress);
        if (resolved.WhyNotUnpacked is null && options.Unpack)
        {
            await layers.UnpackAllAsync(resolved.Manifest.Layers, image.DiffIds, ct);
            await store.Chains.EnsureAsync(image.DiffIds, ct);
            warnings.AddRange(layers.Warnings);
            warnings.AddRange(image.DiffIds.Distinct().SelectMany(diffId => store.Layers.NotesOf(diffId).Warnings));
        }
        else
        {
            // An artifact's config is content like its layers.
            await layers.FetchAllAsync(resolved.Config is null && resolved.Manifest.Config is { } config ? [config, .. resolved.Manifest.Layers] : resolved.Manifest.Layers, ct);
        }

        if (!options.KeepLayerBlobs && resolved.WhyNotUnpacked is null && options.Unpack)
        {
            // Only what is on the disk can do without its blob.
            await store.SettleAsync();
            layers.DiscardBlobs();
        }

        // 6. The name.
        ct.ThrowIfCancellationRequested();
        var before = store.Find(name);
        var isNew = layers.HasChanged || before is null || before.Manifest.Digest != image.Manifest.Digest || before.Top.Digest != image.Top.Digest;
        if (isNew) await store.PutAsync(image, ct);
        return new PulledImage(isNew ? image : before!, isNew, resolved.WhyNotUnpacked, warnings);
    }

    private StoredImage Describe(ImageName name, ResolvedImage resolved, DateTimeOffset? pulled)
    {
        var manifest = resolved.Manifest;
        ContentReference[] content = [.. manifest.Config is { } config ? [config] : Array.Empty<ContentReference>(), .. manifest.Layers];
        var isUnpackable = resolved.WhyNotUnpacked is null;
        return new StoredImage
        {
            Name = name,
            Top = resolved.Top.Descriptor,
            Manifest = manifest.Descriptor,
            Platform = resolved.Config?.Platform,
            DiffIds = isUnpackable ? resolved.Config!.DiffIds : [],
            IsUnpackable = isUnpackable,
            Blobs = [.. resolved.Indexes.Select(index => index.Descriptor.Digest).Append(manifest.Descriptor.Digest).Concat(content.Select(blob => blob.Digest)).Distinct()],
            Size = content.DistinctBy(blob => blob.Digest).Sum(blob => blob.Size),
            Pulled = pulled ?? options.Time.GetUtcNow(),
        };
    }
}
