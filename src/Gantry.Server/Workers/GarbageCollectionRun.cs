using System.Threading.Channels;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;

namespace Gantry.Server.Workers;

/// <summary>
/// A whole run of garbage collection that somebody asked for, beside the usual ones, at the same pace. One at a time among all nodes
/// (<see cref="AskedRun"/>); its begin and its end are events.
/// </summary>
internal sealed partial class GarbageCollectionRun(AskedRun run, Collector collector, AuditTrail audit, ILogger<GarbageCollectionRun> logger) : BackgroundService
{
    private readonly Channel<(Actor Actor, IAsyncDisposable Claim)> _asked = Channel.CreateBounded<(Actor, IAsyncDisposable)>(1);

    /// <summary>False: a node runs one already.</summary>
    public async Task<bool> TryStartAsync(Actor actor, CancellationToken cancellationToken)
    {
        if (await run.TryBeginAsync(cancellationToken) is not { } claim) return false;
        if (_asked.Writer.TryWrite((actor, claim))) return true;
        // The one before lost its claim with its connection, and has not ended yet.
        await claim.DisposeAsync();
        return false;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var (actor, claim) in _asked.Reader.ReadAllAsync(stoppingToken))
        {
            await using var held = claim;
            try
            {
                await RunAsync(actor, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(logger, actor.Account, exception);
            }
        }
    }

    private async Task RunAsync(Actor actor, CancellationToken stoppingToken)
    {
        await RecordAsync("begun");
        var done = await collector.RunAsync(everything: true, stoppingToken);
        await RecordAsync(done.IsNothing ? "done: nothing was due"
            : $"done: {done.Manifests.Gone} manifests, {done.Links.Gone} links and {done.Blobs.Gone} blobs of {done.Blobs.Bytes} bytes removed; "
            + $"{done.Hidden.Gone} manifests hidden by rule, {done.Uploads.Gone} uploads ended, {done.Orphans.Gone} orphans found, "
            + $"bytes of {done.Locations.Gone} locations deleted");

        Task RecordAsync(string detail) => audit.RecordAsync(new Event(EventKinds.GcRun) { Detail = detail }, actor, stoppingToken);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The run of garbage collection that {Account} asked for failed")]
    private static partial void LogFailed(ILogger logger, string? account, Exception exception);
}
