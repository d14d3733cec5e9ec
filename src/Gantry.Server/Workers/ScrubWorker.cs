using Gantry.Core.Data;
using Gantry.Core.Scrub;
using Gantry.Oci;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Workers;

/// <summary>
/// Reads blobs again that are due, one after the other at the pace of the settings, and looks once a minute whether any is.
/// Every node runs one; each blob is claimed.
/// </summary>
internal sealed partial class ScrubWorker(
    BlobScrub scrub, IOptions<ScrubOptions> options, TimeProvider time, ILogger<ScrubWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        using var timer = new PeriodicTimer(Pause, time);
        do
        {
            try
            {
                await RunAsync(stoppingToken);
            }
            catch (Exception exception) when (DatabaseOutage.Is(exception) && !stoppingToken.IsCancellationRequested)
            {
                LogNoDatabase(logger, exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        while (await scrub.NextAsync(stoppingToken) is { } result)
        {
            if (result.Outcome == ScrubOutcome.Back) LogBack(logger, result.Digest);
            if (result.Outcome != ScrubOutcome.PutOff) continue;
            // The next blob would fare no better at once.
            LogPutOff(logger, result.Digest, result.Detail);
            return;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Blob {Digest} could not be read again, which is put off: {Reason}")]
    private static partial void LogPutOff(ILogger logger, Digest digest, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Scrub put off to the next minute")]
    private static partial void LogNoDatabase(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Blob {Digest} has the right bytes after all and is served again")]
    private static partial void LogBack(ILogger logger, Digest digest);
}
