using System.Threading.Channels;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;

namespace Gantry.Server.Workers;

/// <summary>
/// A whole run of garbage collection that somebody asked for, beside the usual ones, at the same pace. One at a time on a node; its
/// begin and its end are events, so that every node can tell.
/// </summary>
internal sealed partial class GarbageCollectionRun(Collector collector, AuditTrail audit, ILogger<GarbageCollectionRun> logger) : BackgroundService
{
    private readonly Channel<Actor> _asked = Channel.CreateBounded<Actor>(1);
    private int _busy;

    /// <summary>Whether this node runs one.</summary>
    public bool IsRunning => Volatile.Read(ref _busy) == 1;

    /// <summary>False: this node runs one already.</summary>
    public bool TryStart(Actor actor)
    {
        if (Interlocked.CompareExchange(ref _busy, 1, 0) == 1) return false;
        return _asked.Writer.TryWrite(actor);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var actor in _asked.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await RunAsync(actor, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(logger, actor.Account, exception);
            }
            finally
            {
                Volatile.Write(ref _busy, 0);
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
