using Gantry.Core.Webhooks;

namespace Gantry.Server.Api;

/// <param name="MessageId">What the receiver knows it by, as webhook-id; redeliveries have the same.</param>
/// <param name="Kind">The event's, or ping for a test.</param>
/// <param name="EventId">Its number in the audit trail.</param>
/// <param name="Status">Of the last answer; null: there was none.</param>
/// <param name="Error">Why there was none.</param>
/// <param name="DueAt">The next try; null: there is none.</param>
internal sealed record DeliveryReply(
    long Id, Guid MessageId, string Kind, long? EventId, DeliveryState State, int Attempts, int? Status, string? Error, int? Milliseconds,
    DateTimeOffset CreatedAt, DateTimeOffset? TriedAt, DateTimeOffset? DueAt)
{
    public static DeliveryReply Of(Delivery delivery) => new(
        delivery.Id, delivery.MessageId, delivery.Kind, delivery.EventId, delivery.State, delivery.Attempts, delivery.Status, delivery.Error,
        delivery.Milliseconds, delivery.CreatedAt, delivery.TriedAt, delivery.DueAt);
}

/// <param name="Timestamp">As the header webhook-timestamp of the last try has it; null: none yet.</param>
internal sealed record DeliveryRequestReply(string Url, string ContentType, Guid MessageId, string? Timestamp, string Body);

/// <param name="Body">Its first 4 KiB.</param>
internal sealed record DeliveryAnswerReply(int Status, string? Body);

/// <param name="Request">What is sent to the webhook's URL of now.</param>
/// <param name="Answer">The last one; null: there was none.</param>
internal sealed record WholeDeliveryReply(DeliveryReply Delivery, DeliveryRequestReply Request, DeliveryAnswerReply? Answer);

internal static class WebhookDeliveryEndpoints
{
    [EndpointSummary("Sends a delivery that tells nothing, to see whether it arrives")]
    public static async Task<IResult> TestWebhookAsync(ApiRequest request) =>
        Made(request, await request.Service<WebhookDeliveries>().TestAsync(request.Webhook, request.Aborted)
            ?? throw ApiException.NotFound($"the webhook {request.Webhook.Id} is gone"));

    [EndpointSummary("What was sent to a webhook and what it answered, newest first")]
    public static async Task<IResult> ListDeliveriesAsync(ApiRequest request)
    {
        var (limit, before) = (request.Limit(), request.QueryId("before"));
        var rows = await request.Service<WebhookDeliveries>().PageAsync(request.Webhook.Id, before, limit + 1, request.Aborted);
        return request.Ok(request.Page(rows, limit, DeliveryReply.Of, row => $"{row.Id}", "before"));
    }

    [EndpointSummary("One delivery, with its body and the beginning of the answer")]
    public static async Task<IResult> GetDeliveryAsync(ApiRequest request)
    {
        var content = await request.Service<WebhookDeliveries>().FindAsync(request.Webhook.Id, request.RouteNumber("delivery"), request.Aborted)
            ?? throw Missing(request);
        var delivery = content.Delivery;
        var timestamp = delivery.TriedAt is { } tried ? WebhookSignature.TimestampOf(tried) : null;
        return request.One(new WholeDeliveryReply(
            DeliveryReply.Of(delivery),
            new DeliveryRequestReply(request.Webhook.Url, content.ContentType, delivery.MessageId, timestamp, content.Body),
            delivery.Status is { } status ? new DeliveryAnswerReply(status, content.Answer) : null));
    }

    [EndpointSummary("Sends the same again, with the same webhook-id, as a delivery of its own")]
    public static async Task<IResult> RedeliverAsync(ApiRequest request)
    {
        if (!request.Webhook.Active) throw ApiException.Conflict($"the webhook {request.Webhook.Id} is switched off: nothing would be sent");
        return Made(request, await request.Service<WebhookDeliveries>().RedeliverAsync(request.Webhook.Id, request.RouteNumber("delivery"), request.Aborted)
            ?? throw Missing(request));
    }

    private static IResult Made(ApiRequest request, Delivery delivery) =>
        request.Created($"/webhooks/{delivery.WebhookId}/deliveries/{delivery.Id}", DeliveryReply.Of(delivery));

    private static ApiException Missing(ApiRequest request) =>
        ApiException.NotFound($"the webhook {request.Webhook.Id} has no delivery {request.Route("delivery")}, or does not keep it any more");
}
