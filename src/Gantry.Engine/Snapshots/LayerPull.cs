using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.Oci;

namespace Gantry.Engine.Snapshots;

/// <summary>The layers of one pull: several at a time, the largest first, since the one that ends last decides how long it all takes.</summary>
/// <remarks>Memory: <see cref="PullOptions.Parallelism"/> times two blocks for the download, six between the threads, and what decoder and unpacker take.</remarks>
internal sealed class LayerPull(ImageStore store, ImageOrigin origin, PullOptions options, IProgress<PullProgress>? progress)
{
    private readonly ConcurrentBag<Digest> _fetched = [];
    private readonly ConcurrentQueue<string> _warnings = [];
    private volatile bool _hasChanged;

    /// <summary>Something was fetched or unpacked.</summary>
    public bool HasChanged => _hasChanged || !_fetched.IsEmpty;

    /// <summary>What was odd about blobs; what is odd about their content is in the layers' notes.</summary>
    public IReadOnlyCollection<string> Warnings => _warnings;

    /// <summary>Layers and blobs that are there are left alone; a layer that is twice in the manifest is one.</summary>
    public Task UnpackAllAsync(IReadOnlyList<ContentReference> layers, IReadOnlyList<Digest> diffIds, CancellationToken ct)
    {
        var jobs = layers.Zip(diffIds).DistinctBy(job => (job.First.Digest, job.Second)).OrderByDescending(job => job.First.Size).ToList();
        foreach (var (layer, _) in jobs) new LayerProgress(progress, layer).Step(PullPhase.Waiting);
        return RunAsync(jobs, (job, end) => UnpackAsync(job.First, job.Second, end), ct);
    }

    public Task FetchAllAsync(IReadOnlyList<ContentReference> blobs, CancellationToken ct)
    {
        var jobs = blobs.DistinctBy(blob => blob.Digest).OrderByDescending(blob => blob.Size).ToList();
        return RunAsync(jobs, FetchAsync, ct);
    }

    /// <summary>Of the layers that this pull has fetched. Another image may have had it too, and then fetches it again should it want it.</summary>
    public void DiscardBlobs()
    {
        foreach (var digest in _fetched) store.Blobs.Remove(digest);
    }

    private async Task UnpackAsync(ContentReference layer, Digest diffId, CancellationToken ct)
    {
        var steps = new LayerProgress(progress, layer);
        var isMade = await store.Layers.EnsureAsync(diffId, (folder, end) => FillAsync(folder, layer, diffId, steps, end), ct);
        if (isMade) _hasChanged = true;
        steps.Step(isMade ? PullPhase.Complete : PullPhase.Exists);
    }

    private async Task<LayerNotes> FillAsync(string folder, ContentReference layer, Digest diffId, LayerProgress steps, CancellationToken ct)
    {
        for (var isLast = false; ; isLast = true)
        {
            await using var blob = await store.Blobs.OpenAsync(layer, origin.Source, steps.Downloaded, ct);
            try
            {
                var notes = await LayerPipeline.RunAsync(blob, layer, diffId, Reading(steps), (tar, end) => Unpack(folder, tar, end), ct);
                if (!blob.WasThere) _fetched.Add(blob.Digest);
                return notes;
            }
            catch (Exception fault) when (!isLast && IsOurs(fault, blob))
            {
                // What an earlier run or a tired disk left was wrong, and is gone: once more, from the start.
            }
        }
    }

    private LayerReading Reading(LayerProgress steps) => new(store.Windows, options.VerifyFirst, steps.Unpacked, _warnings.Enqueue);

    /// <summary>A stored blob was checked when it came. That it fails now may be the disk's fault; if so, it is no longer what it is called.</summary>
    private bool IsOurs(Exception fault, BlobReading blob) => fault is StaleContentException
        || (blob.WasThere && fault is LayerException or EngineException { Fault: EngineFault.Mismatch } && origin.Source is not null && store.Blobs.RemoveIfDamaged(blob.Digest));

    private LayerNotes Unpack(string folder, Stream tar, CancellationToken ct)
    {
        using var unpacker = new LayerUnpacker(folder, UnpackMode.Layer, options.Unpacking with { LargeLayers = store.LargeLayers });
        return unpacker.Apply(tar, ct);
    }

    private async Task FetchAsync(ContentReference blob, CancellationToken ct)
    {
        var steps = new LayerProgress(progress, blob);
        if (store.Blobs.Has(blob))
        {
            steps.Step(PullPhase.Exists);
            return;
        }

        steps.Step(PullPhase.Waiting);
        await origin.FetchAsync(blob, steps.Downloaded, ct);
        _fetched.Add(blob.Digest);
        steps.Step(PullPhase.Complete);
    }

    /// <summary>Ends when all have ended; the first failure stops the others and is the one that is told.</summary>
    private async Task RunAsync<T>(List<T> jobs, Func<T, CancellationToken, Task> run, CancellationToken ct)
    {
        ExceptionDispatchInfo? first = null;
        try
        {
            await Parallel.ForEachAsync(jobs, new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = ct }, async (job, end) =>
            {
                try
                {
                    await run(job, end);
                }
                catch (Exception fault)
                {
                    Interlocked.CompareExchange(ref first, ExceptionDispatchInfo.Capture(fault), null);
                    throw;
                }
            });
        }
        catch when (first is not null)
        {
            ct.ThrowIfCancellationRequested();
            first.Throw();
        }
    }
}
