using Gantry.Core.GarbageCollection;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Workers;

/// <summary>
/// Collects garbage while the server serves, at once after the start and then at short intervals. Work is claimed by row
/// locks, so every node runs one. With <c>Gc:Enabled</c> off this node removes nothing at all, abandoned uploads neither:
/// other nodes do, or <c>gantry-server gc</c>.
/// </summary>
internal sealed partial class GarbageCollectionWorker(
    Collector collector, IOptions<GcOptions> options, TimeProvider time, ILogger<GarbageCollectionWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        using var timer = new PeriodicTimer(collector.Interval, time);
        var isFailing = false;
        do
        {
            try
            {
                var done = await collector.RunAsync(everything: false, stoppingToken);
                if (isFailing) LogBack(logger);
                isFailing = false;
                if (!done.IsNothing)
                    LogCollected(logger, done.Manifests.Gone, done.Links.Gone, done.Blobs.Gone, done.Blobs.Bytes, done.Hidden.Gone, done.Uploads.Gone,
                        done.Orphans.Gone, done.Locations.Gone);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The database or the store is away, or one thing cannot be removed. Serving goes on, and the next run tries
                // again; an outage is told once.
                if (!isFailing) LogPutOff(logger, exception);
                isFailing = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Collected {Manifests} manifests, {Links} links and {Blobs} blobs of {SizeBytes} bytes; "
        + "hid {Hidden} manifests by rule, ended {Uploads} uploads, found {Orphans} orphans, deleted {Locations} locations")]
    private static partial void LogCollected(
        ILogger logger, int manifests, int links, int blobs, long sizeBytes, int hidden, int uploads, int orphans, int locations);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Garbage collection failed; it is tried again, and told when it works")]
    private static partial void LogPutOff(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Garbage collection works again")]
    private static partial void LogBack(ILogger logger);
}
