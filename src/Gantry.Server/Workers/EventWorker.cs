using Gantry.Core.Data;
using Gantry.Core.Events;

namespace Gantry.Server.Workers;

/// <summary>Looks into the outbox every second. Every node runs one.</summary>
internal sealed partial class EventWorker(EventOutbox outbox, TimeProvider time, ILogger<EventWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        do
        {
            try
            {
                while (await outbox.FollowAsync(stoppingToken) == EventOutbox.Batch) continue;
            }
            catch (Exception exception) when (DatabaseOutage.Is(exception) && !stoppingToken.IsCancellationRequested)
            {
                LogNoDatabase(logger, exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What follows from events is put off")]
    private static partial void LogNoDatabase(ILogger logger, Exception exception);
}
