using Gantry.Core.Browse;

namespace Gantry.Server.Workers;

/// <summary>
/// Counts repositories that changed and makes what listings say of new manifests, once a second where there is something. After each piece of
/// work it rests three times as long as that took: pushes and pulls come first. Work is claimed, so every node runs one.
/// </summary>
internal sealed partial class StatisticsWorker(
    NewLinks links, RepositoryCounting repositories, ManifestFacts manifests, TimeProvider time, ILogger<StatisticsWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), MostRest = TimeSpan.FromSeconds(10);
    private const int RestFactor = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        var isFailing = false;
        do
        {
            try
            {
                await links.MarkAsync(stoppingToken);
                while (await WorkAsync(stoppingToken)) continue;
                if (isFailing) LogBack(logger);
                isFailing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The database is away, or one repository cannot be counted: its claim runs out, and it comes again. Serving goes on.
                if (!isFailing) LogPutOff(logger, exception);
                isFailing = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Some of each, in turn.</summary>
    private async Task<bool> WorkAsync(CancellationToken stoppingToken)
    {
        var start = time.GetTimestamp();
        var goOn = await manifests.MakeDueAsync(stoppingToken) == ManifestFacts.Batch;
        goOn |= await repositories.CountNextAsync(stoppingToken);
        var rest = time.GetElapsedTime(start) * RestFactor;
        if (goOn) await Task.Delay(rest < MostRest ? rest : MostRest, time, stoppingToken);
        return goOn;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Repositories could not be counted; it is tried again, and told when it works")]
    private static partial void LogPutOff(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Repositories are counted again")]
    private static partial void LogBack(ILogger logger);
}
