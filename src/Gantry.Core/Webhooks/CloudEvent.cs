using System.Text.Json;

namespace Gantry.Core.Webhooks;

/// <summary>CloudEvents 1.0 in the structured mode of its JSON format: the whole event is the body.</summary>
internal sealed record CloudEvent(
    string Specversion, string Id, string Source, string Type, string? Subject, DateTimeOffset Time, string Datacontenttype, CloudEvent.Facts Data)
{
    private const string ContentType = "application/cloudevents+json", Version = "1.0", DataType = "application/json", TypePrefix = "gantry.";

    public static DeliveryBody BodyOf(ToldEvent told, ToldBy by)
    {
        var row = told.Row;
        var subject = (row.Digest ?? (told.Tags.Length == 1 ? told.Tags[0] : null)) is { } reference
            ? row.Repository is null ? reference : $"{row.Repository}{(reference == row.Digest ? "@" : ":")}{reference}" : row.Repository;
        return BodyOf(new CloudEvent(
            Version, $"{row.Id}", SourceOf(by, row.Repository), TypePrefix + row.Kind, subject, row.At, DataType,
            new Facts
            {
                Namespace = row.Namespace, Repository = row.Repository, Digest = row.Digest, Tags = told.Tags.Length == 0 ? null : told.Tags,
                MediaType = told.MediaType, Size = told.Size, Url = by.UrlOf(told), Account = row.Account, Address = row.Address,
                Client = DeliveryBodies.Cut(row.Client), RequestId = row.RequestId, Subject = DeliveryBodies.Cut(row.Subject), Detail = DeliveryBodies.Cut(row.Detail),
            }));
    }

    public static DeliveryBody PingOf(Webhook webhook, Guid message, DateTimeOffset at, ToldBy by) => BodyOf(new CloudEvent(
        Version, $"{message}", SourceOf(by, null), TypePrefix + WebhookKinds.Ping, null, at, DataType,
        new Facts { Namespace = webhook.Namespace, Detail = $"a test of the webhook {webhook.Name}" }));

    private static DeliveryBody BodyOf(CloudEvent one) => new(ContentType, JsonSerializer.Serialize(one, WebhookJson.Default.CloudEvent));

    // A reference to the repository; without a public URL a relative one, which is a source too.
    private static string SourceOf(ToldBy by, string? repository) => $"{by.Origin}/v2/{repository}";

    internal sealed record Facts
    {
        public string? Namespace { get; init; }

        public string? Repository { get; init; }

        public string? Digest { get; init; }

        public IReadOnlyList<string>? Tags { get; init; }

        public string? MediaType { get; init; }

        public long? Size { get; init; }

        public string? Url { get; init; }

        public string? Account { get; init; }

        public string? Address { get; init; }

        public string? Client { get; init; }

        public string? RequestId { get; init; }

        /// <summary>Whom or what a change was about: an account, a group, a pattern.</summary>
        public string? Subject { get; init; }

        public string? Detail { get; init; }
    }
}
