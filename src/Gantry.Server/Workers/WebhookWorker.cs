using Gantry.Core.Data;
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

    private bool _isSealed;
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
            if (_removedAt is { } at && time.GetElapsedTime(at) < RemoveEvery) return;
            // A batch at a time; where there are more, the next look goes on.
            var removed = await deliveries.RemoveOldAsync(options.Value.Retention, stoppingToken);
            _removedAt = removed < WebhookDeliveries.RemovalBatch ? time.GetTimestamp() : null;
        }
        catch (Exception exception) when (DatabaseOutage.Is(exception) && !stoppingToken.IsCancellationRequested)
        {
            LogNoDatabase(logger, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Deliveries to webhooks are put off")]
    private static partial void LogNoDatabase(ILogger logger, Exception exception);
}
