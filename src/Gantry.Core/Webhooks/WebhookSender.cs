using System.Collections.Concurrent;
using System.Threading.Channels;
using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.Extensions.Logging;

namespace Gantry.Core.Webhooks;

/// <summary>
/// Sends what is due, on every node. Each delivery is claimed, sent, and settled by its answer, at least once: a node that dies in
/// between leaves a claim that another one frees.
/// </summary>
public sealed partial class WebhookSender
{
    /// <summary>Tries under way on a node: a body and an answer each, so well under a megabyte in all.</summary>
    public const int AtOnce = 64;

    /// <summary>And to one webhook: a target that does not answer holds up its own deliveries alone.</summary>
    public const int PerWebhook = 2;

    /// <summary>How often nodes that are gone are looked for.</summary>
    private static readonly TimeSpan FreeEvery = TimeSpan.FromSeconds(5);

    private readonly DeliveryClaims _claims;
    private readonly DeliveryOutcomes _outcomes;
    private readonly WebhookHttp _http;
    private readonly TimeProvider _time;
    private readonly ILogger<WebhookSender> _logger;
    private readonly ConcurrentDictionary<long, Claimed> _underWay = new();
    private readonly Channel<bool> _ended = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long? _freedAt;

    internal WebhookSender(DeliveryClaims claims, DeliveryOutcomes outcomes, WebhookHttp http, TimeProvider time, ILogger<WebhookSender> logger) =>
        (_claims, _outcomes, _http, _time, _logger) = (claims, outcomes, http, time, logger);

    /// <summary>Begins to send what is due, as much as there is room for; does not wait for answers. One caller at a time.</summary>
    /// <returns>How many tries it began.</returns>
    public async Task<int> BeginAsync(CancellationToken cancellationToken)
    {
        if (_freedAt is not { } at || _time.GetElapsedTime(at) >= FreeEvery)
        {
            await _claims.FreeAsync([.. _underWay.Keys], cancellationToken);
            _freedAt = _time.GetTimestamp();
        }

        var room = AtOnce - _underWay.Count;
        if (room == 0) return 0;
        var claimed = await _claims.TakeAsync(room, PerWebhook, [.. _underWay.Values.Select(one => one.Webhook.Id)], cancellationToken);
        if (claimed.Count > 0) Failpoint.Hit("webhook-claimed");
        foreach (var one in claimed)
        {
            _underWay[one.Delivery.Id] = one;
            _ = SendAsync(one);
        }

        return claimed.Count;
    }

    /// <summary>Waits until a try has ended, or for so long.</summary>
    public async Task WaitAsync(TimeSpan most, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(most, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _ended.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing has ended.
        }
    }

    /// <summary>Waits until no try is under way; each ends within its time.</summary>
    public async Task DrainAsync()
    {
        while (!_underWay.IsEmpty) await _ended.Reader.ReadAsync();
    }

    // Not cancelled when the server stops: what the target has taken is to be written down, or it would get it twice.
    private async Task SendAsync(Claimed claimed)
    {
        var (delivery, webhook) = claimed;
        try
        {
            await Task.Yield();
            var tried = webhook.Active || delivery.Kind == WebhookKinds.Ping
                ? await _http.SendAsync(webhook, delivery, CancellationToken.None) : Tried.Dropped("the webhook is not active");
            Failpoint.Hit("webhook-answered");
            if (!await _outcomes.SettleAsync(claimed, tried, CancellationToken.None) || tried.Succeeded) return;
            var target = WebhookUrl.Parse(webhook.Url).Origin;
            LogFailed(_logger, delivery.Id, webhook.Id, target, delivery.Attempts, tried.Status, tried.Error);
        }
        catch (Exception lost)
        {
            // The claim stays, and is let go of with those that this node forgot.
            LogUnsettled(_logger, delivery.Id, webhook.Id, lost);
        }
        finally
        {
            // Another node may have let go of the claim, and this one have it again by now.
            _underWay.TryRemove(KeyValuePair.Create(delivery.Id, claimed));
            _ended.Writer.TryWrite(true);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Delivery {Delivery} of webhook {Webhook} to {Target} failed at try {Attempt}: {Status} {Reason}")]
    private static partial void LogFailed(ILogger logger, long delivery, long webhook, string target, int attempt, int? status, string? reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What became of delivery {Delivery} of webhook {Webhook} could not be written down; it is tried again")]
    private static partial void LogUnsettled(ILogger logger, long delivery, long webhook, Exception exception);
}
