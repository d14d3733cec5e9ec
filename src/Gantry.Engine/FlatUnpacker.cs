using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Engine.Snapshots;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.Oci;

namespace Gantry.Engine;

/// <summary>What became of a flat unpack.</summary>
/// <param name="Name">What was asked for.</param>
/// <param name="Manifest">What was unpacked.</param>
/// <param name="Config">Its config, for who wants to run it.</param>
/// <param name="Warnings">Sentences for the user.</param>
public sealed record UnpackedImage(ImageName Name, Descriptor Manifest, ImageConfig Config, IReadOnlyList<string> Warnings);

/// <summary>
/// Unpacks an image onto one directory, layer after layer, as a root filesystem. The layers are fetched side by side, the lowest first, and the first is unpacked while it
/// and those above it are still coming; each changes the directory only once size, blob digest and diffID were found right.
/// </summary>
/// <param name="store">What comes is kept there as blobs (or removed again, by the options); what is there is not fetched.</param>
/// <param name="registries">Null: the store alone.</param>
/// <param name="options">As for a pull.</param>
public sealed class FlatUnpacker(ImageStore store, RemoteRegistries? registries, PullOptions options)
{
    /// <param name="directory">Is made where it is missing, and must be empty; owner, mode and time become the image's. After a failure or a cancellation it is as it was before.</param>
    /// <inheritdoc cref="ImagePuller.PullAsync"/>
    public Task<UnpackedImage> UnpackAsync(ImageName name, string directory, IProgress<PullProgress>? progress = null, CancellationToken ct = default)
    {
        options.Check();
        return LocalFaults.AsEngineAsync(() => RunAsync(name, Path.GetFullPath(directory), progress, ct));
    }

    private async Task<UnpackedImage> RunAsync(ImageName name, string directory, IProgress<PullProgress>? progress, CancellationToken ct)
    {
        using var lease = await store.LeaseAsync(ct);
        var origin = new ImageOrigin(store, registries?.Open(name), lease);
        var top = await origin.OpenTopAsync(name, ct);
        var resolved = await new ImageResolution(origin.OpenManifestAsync, origin.OpenConfigAsync).ResolveAsync(top, options.Platform, ct);
        if (resolved.WhyNotUnpacked is not null) throw new EngineException(EngineFault.Unsupported, $"{name} cannot be unpacked: {resolved.WhyNotUnpacked}");
        await lease.AddAsync(resolved.Manifest.Layers.Select(layer => layer.Digest), ct);

        var isOurs = Prepare(directory);
        var before = GivenDirectory.Of(directory);
        before.BecomeImplied();
        var warnings = new List<string>();
        if (resolved.Warning is not null) warnings.Add(resolved.Warning);
        try
        {
            await ApplyAllAsync(resolved, origin, directory, progress, warnings, ct);
        }
        catch
        {
            if (isOurs) TreeRemoval.Remove(directory);
            else before.Restore();
            throw;
        }

        return new UnpackedImage(name, resolved.Manifest.Descriptor, resolved.Config!, warnings);
    }

    /// <summary>True where it was made here.</summary>
    private static bool Prepare(string directory)
    {
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory);
            return true;
        }

        if (Directory.EnumerateFileSystemEntries(directory).Any()) throw new EngineException(EngineFault.Usage, $"{directory} is not empty");
        return false;
    }

    private async Task ApplyAllAsync(ResolvedImage resolved, ImageOrigin origin, string directory, IProgress<PullProgress>? progress, List<string> warnings, CancellationToken ct)
    {
        using var unpacker = new LayerUnpacker(directory, UnpackMode.Flat, options.Unpacking);
        var layers = resolved.Manifest.Layers;
        var steps = layers.Select(layer => new LayerProgress(progress, layer)).ToList();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var downloads = new SemaphoreSlim(options.Parallelism);
        var started = layers.Select((layer, i) => StartAsync(layer, origin, steps[i], downloads, stop.Token)).ToList();
        try
        {
            for (var i = 0; i < layers.Count; i++)
            {
                var (layer, diffId, step) = (layers[i], resolved.Config!.DiffIds[i], steps[i]);
                var notes = await ApplyAsync(await started[i], layer, diffId, origin, step, unpacker, warnings, ct);
                warnings.AddRange(notes.Warnings);
                step.Step(PullPhase.Complete);
            }
        }
        finally
        {
            await stop.CancelAsync();
            foreach (Task start in started) await start.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var start in started.Where(start => start.IsCompletedSuccessfully))
            {
                var blob = await start;
                await blob.DisposeAsync();
                if (!options.KeepLayerBlobs && !blob.WasThere) store.Blobs.Remove(blob.Digest);
            }
        }
    }

    /// <summary>Begins a download when there is room for it, and makes room for the next when it is through.</summary>
    private async Task<BlobReading> StartAsync(ContentReference layer, ImageOrigin origin, LayerProgress steps, SemaphoreSlim downloads, CancellationToken ct)
    {
        steps.Step(PullPhase.Waiting);
        await downloads.WaitAsync(ct);
        BlobReading? blob = null;
        try
        {
            return blob = await store.Blobs.OpenAsync(layer, origin.Source, steps.Downloaded, ct);
        }
        finally
        {
            _ = (blob?.Completion ?? Task.CompletedTask).ContinueWith(_ => downloads.Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task<LayerNotes> ApplyAsync(BlobReading blob, ContentReference layer, Digest diffId, ImageOrigin origin, LayerProgress steps, LayerUnpacker unpacker, List<string> warnings, CancellationToken ct)
    {
        var reading = new LayerReading(store.Windows, options.VerifyFirst, steps.Unpacked, warnings.Add);
        try
        {
            return await LayerPipeline.RunAsync(blob, layer, diffId, reading, unpacker.Apply, ct);
        }
        catch (Exception fault) when (fault is StaleContentException || (origin.Source is not null && blob.WasThere && fault is LayerException or EngineException && store.Blobs.RemoveIfDamaged(blob.Digest)))
        {
            // What was here before was wrong, and is gone: once more, from the network.
            await using var fresh = await store.Blobs.OpenAsync(layer, origin.Source, steps.Downloaded, ct);
            return await LayerPipeline.RunAsync(fresh, layer, diffId, reading, unpacker.Apply, ct);
        }
    }
}
