using Gantry.Core.Browse;

namespace Gantry.Server.Workers;

/// <summary>Looks once a minute whether the hour's look at the whole store is due. Every node runs one; one of them takes it.</summary>
internal sealed partial class StorageSampleWorker(StorageSamples samples, TimeProvider time, ILogger<StorageSampleWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        do
        {
            try
            {
                await samples.TakeAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // A plot with a gap is no reason to stop serving.
                LogNotTaken(logger, exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hour's look at the store was put off")]
    private static partial void LogNotTaken(ILogger logger, Exception exception);
}
