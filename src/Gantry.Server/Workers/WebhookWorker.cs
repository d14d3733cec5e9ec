using Gantry.Core.Webhooks;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Workers;

/// <summary>
/// Sends what webhooks are to be told, looking every second and whenever a try has ended, and removes deliveries that are old. Every
/// node runs one.
/// </summary>
internal sealed partial class WebhookWorker(
    WebhookSender sender, WebhookList webhooks, WebhookDeliveries deliveries, IOptions<WebhookOptions> options, TimeProvider time,
    ILogger<WebhookWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), RemoveEvery = TimeSpan.FromMinutes(1);

    private bool _isSealed, _isFailing;
    private long? _removedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await RunOnceAsync(stoppingToken);
                await sender.WaitAsync(Pause, stoppingToken);
            }
        }
        finally
        {
            await sender.DrainAsync();
        }
    }

    private async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (!_isSealed) _isSealed = await webhooks.SealAsync(stoppingToken) < WebhookList.SealBatch;
            if (options.Value.Enabled) await sender.BeginAsync(stoppingToken);
            await RemoveOldAsync(stoppingToken);
            if (_isFailing) LogBack(logger);
            _isFailing = false;
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // The database is away, most often. Serving goes on, and the next look tries again; an outage is told once.
            if (!_isFailing) LogPutOff(logger, exception);
            _isFailing = true;
        }
    }

    // A batch at a time; where there are more, the next look goes on.
    private async Task RemoveOldAsync(CancellationToken stoppingToken)
    {
        if (_removedAt is { } at && time.GetElapsedTime(at) < RemoveEvery) return;
        var removed = await deliveries.RemoveOldAsync(options.Value.Retention, stoppingToken);
        _removedAt = removed < WebhookDeliveries.RemovalBatch ? time.GetTimestamp() : null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Deliveries to webhooks are put off; it is told when they go on")]
    private static partial void LogPutOff(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deliveries to webhooks go on")]
    private static partial void LogBack(ILogger logger);
}
