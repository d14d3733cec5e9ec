using Gantry.Core.Data;

namespace Gantry.Core.Webhooks;

/// <summary>An event, and what its body says beyond the row.</summary>
/// <param name="MediaType">Of the manifest; null: it is about something else, or the manifest is gone.</param>
/// <param name="Size">The manifest's own bytes.</param>
internal sealed record ToldEvent(EventRow Row, string? MediaType, long? Size)
{
    /// <summary>A push may move many at once; <c>events</c> has them in one text.</summary>
    public string[] Tags { get; } = Row.Tag?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    public bool IsOfBlob => Row.Kind.StartsWith("blob.", StringComparison.Ordinal);
}

/// <summary>Which registry tells it, in which process.</summary>
/// <param name="Origin">Its public URL without a slash at the end; empty: it does not know any.</param>
/// <param name="Host">The machine that wrote the body.</param>
/// <param name="Node">Its process.</param>
internal sealed record ToldBy(string Origin, string Host, int Node)
{
    /// <summary>Under <c>/v2</c>; null where the registry does not know how clients call it.</summary>
    public string? UrlOf(ToldEvent told) => Origin.Length == 0 || told.Row is not { Repository: { } repository, Digest: { } digest }
        ? null : $"{Origin}/v2/{repository}/{(told.IsOfBlob ? "blobs" : "manifests")}/{digest}";

    /// <summary>Public host and port; null where they are not known.</summary>
    public string? PublicHost => Origin.Length == 0 ? null : new Uri(Origin).Authority;
}

/// <summary>What is sent: fixed once, the same bytes at each try.</summary>
internal sealed record DeliveryBody(string ContentType, string Text);

internal static class DeliveryBodies
{
    /// <summary>The parts of an event that people and clients choose are cut to this, so that a body is bounded: a few kilobytes, and a push of thousands of tags 64 KiB.</summary>
    private const int MaxText = 512;

    /// <summary>One, or more where one would be too long.</summary>
    public static IEnumerable<DeliveryBody> Of(ToldEvent told, WebhookFormat format, ToldBy by) => format switch
    {
        WebhookFormat.CloudEvents => [CloudEvent.BodyOf(told, by)],
        _ => DistributionEnvelope.BodiesOf(told, by),
    };

    /// <param name="message">What the receiver knows the delivery by.</param>
    public static DeliveryBody Ping(Webhook webhook, Guid message, DateTimeOffset at, ToldBy by) => webhook.Format switch
    {
        WebhookFormat.CloudEvents => CloudEvent.PingOf(webhook, message, at, by),
        _ => DistributionEnvelope.Empty,
    };

    public static string? Cut(string? text) => text is { Length: > MaxText } ? text[..MaxText] : text;
}
