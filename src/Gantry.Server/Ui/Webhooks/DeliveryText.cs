using System.Text.Encodings.Web;
using System.Text.Json;
using Gantry.Core.Webhooks;

namespace Gantry.Server.Ui;

/// <summary>A delivery's request for people: its head without secrets, and the same JSON, line by line.</summary>
internal static class DeliveryText
{
    /// <summary>Characters that are shown; the API has all of it.</summary>
    private const int Most = 64 * 1024;

    // It is text on the page, encoded there as all text is.
    private static readonly JsonSerializerOptions Lines = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(Webhook webhook, DeliveryContent content)
    {
        using var json = JsonDocument.Parse(content.Body);
        string?[] lines =
        [
            $"POST {webhook.Url}", $"content-type: {content.ContentType}", $"webhook-id: {content.Delivery.MessageId}",
            content.Delivery.TriedAt is { } at ? $"webhook-timestamp: {WebhookSignature.TimestampOf(at)}" : null, "webhook-signature: v1,…",
            webhook.HasAuthorization ? "authorization: …" : null, "", JsonSerializer.Serialize(json.RootElement, Lines),
        ];
        return ShownText.Of(string.Join('\n', lines.Where(line => line is not null)), Most);
    }
}
