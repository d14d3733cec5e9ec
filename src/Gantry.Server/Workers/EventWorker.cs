using Gantry.Core.Events;

namespace Gantry.Server.Workers;

/// <summary>Looks into the outbox every second. Every node runs one.</summary>
internal sealed partial class EventWorker(EventOutbox outbox, TimeProvider time, ILogger<EventWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        var isFailing = false;
        do
        {
            try
            {
                while (await outbox.FollowAsync(stoppingToken) == EventOutbox.Batch) continue;
                if (isFailing) LogBack(logger);
                isFailing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The database is away, or one follower cannot follow: the events stay pending. Serving goes on.
                if (!isFailing) LogPutOff(logger, exception);
                isFailing = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What follows from events is put off; it is tried again, and told when it works")]
    private static partial void LogPutOff(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "What follows from events is done again")]
    private static partial void LogBack(ILogger logger);
}
