using Gantry.Core.GarbageCollection;
using Gantry.Core.Push;
using Gantry.Core.Data;

namespace Gantry.Server.Workers;

/// <summary>
/// Ends expired uploads and deletes bytes that lost their owner, once a minute. Work is claimed by row locks, so every
/// node runs one.
/// </summary>
internal sealed partial class CleanupWorker(
    UploadExpiry expiry, DoomedLocations doomed, TimeProvider time, ILogger<CleanupWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                var expired = await expiry.RunAsync(stoppingToken);
                var deleted = await doomed.SweepAsync(stoppingToken);
                if (expired + deleted > 0) LogCleaned(logger, expired, deleted);
            }
            catch (Exception exception) when (DatabaseOutage.Is(exception) || exception is IOException)
            {
                LogPutOff(logger, exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Ended {Expired} expired uploads, deleted {Deleted} leftovers")]
    private static partial void LogCleaned(ILogger logger, int expired, int deleted);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Clean-up put off to the next minute")]
    private static partial void LogPutOff(ILogger logger, Exception exception);
}
