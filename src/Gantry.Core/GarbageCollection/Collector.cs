using Gantry.Core.Data;
using Gantry.Core.Push;
using Microsoft.Extensions.Options;

namespace Gantry.Core.GarbageCollection;

/// <summary>What a run of the collector did.</summary>
/// <param name="Uploads">That rested too long.</param>
/// <param name="Hidden">Manifests that a retention rule hid.</param>
/// <param name="Orphans">That were found; they go a delay later.</param>
/// <param name="Locations">Whose bytes were deleted.</param>
public sealed record Collected(Reviewed Uploads, Reviewed Hidden, Reviewed Manifests, Reviewed Links, Reviewed Blobs, Reviewed Orphans, Reviewed Locations)
{
    public bool IsNothing => Uploads.Gone + Hidden.Gone + Manifests.Gone + Links.Gone + Blobs.Gone + Orphans.Gone + Locations.Gone == 0;
}

/// <summary>
/// Garbage collection as a whole: rounds of one batch of every kind, in the order in which one makes work for the next, with a
/// rest after each batch (<see cref="GcPace"/>), until a round finds nothing. Any number of them may run at once: each
/// batch claims its rows. Memory: one batch.
/// </summary>
public sealed class Collector(UploadExpiry uploads, Retention retention, ManifestReview manifests, LinkReview links, BlobReview blobs,
    OrphanSearch orphans, DoomedLocations doomed, IOptions<GcOptions> options, TimeProvider time)
{
    /// <summary>How often to run it.</summary>
    public TimeSpan Interval => options.Value.Interval;

    /// <param name="everything">Also what its turn would come for later: a pass of the retention rules, and of the whole store.</param>
    public async Task<Collected> RunAsync(bool everything, CancellationToken cancellationToken)
    {
        if (everything) await retention.RestartAsync(cancellationToken);
        await using var found = orphans.RunAsync(everything, cancellationToken).GetAsyncEnumerator(cancellationToken);
        Step[] steps =
        [
            new(uploads.ExpireAsync), new(retention.ReviewAsync), new(manifests.ReviewAsync), new(links.ReviewAsync), new(blobs.ReviewAsync),
            new(async (_, _) => await found.MoveNextAsync() ? found.Current with { Settled = 1 } : default, isSized: false),
            new(doomed.SweepAsync),
        ];
        foreach (var step in steps) step.Pace = new GcPace(options.Value, time);

        bool goOn;
        do
        {
            goOn = false;
            foreach (var step in steps) goOn |= await BatchAsync(step, cancellationToken);
        }
        while (goOn);

        return new Collected(steps[0].Sum, steps[1].Sum, steps[2].Sum, steps[3].Sum, steps[4].Sum, steps[5].Sum, steps[6].Sum);
    }

    private async Task<bool> BatchAsync(Step step, CancellationToken cancellationToken)
    {
        step.Pace.Begin();
        var (reviewed, goOn) = (default(Reviewed), true);
        try
        {
            reviewed = await step.RunAsync(step.Pace.BatchSize, cancellationToken);
            goOn = reviewed.GoOn;
        }
        catch (Exception late) when (
            step.IsSized && step.Pace.BatchSize > 1 && DatabaseOutage.IsTimeout(late) && !cancellationToken.IsCancellationRequested)
        {
            // Nothing of it was done. The next run would begin with the same things, and not get past them either.
            step.Pace.Shrink();
        }

        step.Sum += reviewed;
        if (step.Pace.End(reviewed.Looked) is var rest && rest > TimeSpan.Zero) await Task.Delay(rest, time, cancellationToken);
        return goOn;
    }

    /// <param name="run">One batch.</param>
    /// <param name="isSized">Whether the batch is as large as it is told to be.</param>
    private sealed class Step(Func<int, CancellationToken, Task<Reviewed>> run, bool isSized = true)
    {
        public bool IsSized => isSized;

        public Func<int, CancellationToken, Task<Reviewed>> RunAsync => run;

        public GcPace Pace { get; set; } = null!;

        public Reviewed Sum { get; set; }
    }
}
