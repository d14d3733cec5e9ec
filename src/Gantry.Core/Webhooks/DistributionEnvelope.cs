using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Core.Events;

namespace Gantry.Core.Webhooks;

/// <summary>The notification envelope of docker's distribution ("Work with notifications"): one entry for each tag that moved.</summary>
internal sealed record DistributionEnvelope(IReadOnlyList<DistributionEnvelope.Entry> Events)
{
    private const string ContentType = "application/vnd.docker.distribution.events.v1+json", BlobType = "application/octet-stream";

    /// <summary>Entries of one body; the next ones are another delivery.</summary>
    private const int MaxEntries = 100;

    /// <summary>Of no events: what a receiver need not know a word for.</summary>
    public static DeliveryBody Empty { get; } = BodyOf([]);

    public static IEnumerable<DeliveryBody> BodiesOf(ToldEvent told, ToldBy by) =>
        told.Tags.DefaultIfEmpty<string?>(null).Select((tag, index) => EntryOf(told, tag, index, by)).Chunk(MaxEntries).Select(BodyOf);

    private static DeliveryBody BodyOf(Entry[] entries) =>
        new(ContentType, JsonSerializer.Serialize(new DistributionEnvelope(entries), WebhookJson.Default.DistributionEnvelope));

    private static Entry EntryOf(ToldEvent told, string? tag, int index, ToldBy by)
    {
        var row = told.Row;
        var action = WebhookKinds.ActionOf(row.Kind)!;
        var method = row.Kind == EventKinds.Push ? "PUT" : action == "delete" ? "DELETE" : null;
        return new Entry(
            index == 0 ? $"{row.Id}" : $"{row.Id}.{index}", row.At, action,
            new TargetPart(told.IsOfBlob ? BlobType : told.MediaType, row.Digest, told.Size, told.Size, row.Repository, by.UrlOf(told), tag),
            new RequestPart(row.RequestId, row.Address, by.PublicHost, method, DeliveryBodies.Cut(row.Client)),
            new ActorPart(row.Account), new SourcePart(by.Host, $"{by.Node}"));
    }

    internal sealed record Entry(
        string Id, DateTimeOffset Timestamp, string Action, TargetPart Target, RequestPart Request, ActorPart Actor, SourcePart Source);

    /// <param name="Length">The same as the size; distribution has both.</param>
    internal sealed record TargetPart(
        string? MediaType, string? Digest, long? Size, long? Length, string? Repository, string? Url, string? Tag);

    internal sealed record RequestPart(string? Id, string? Addr, string? Host, string? Method, string? Useragent);

    internal sealed record ActorPart(string? Name);

    internal sealed record SourcePart(string Addr, [property: JsonPropertyName("instanceID")] string InstanceId);
}

/// <summary>ASCII alone, so characters are bytes; what is not known is left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DistributionEnvelope))]
[JsonSerializable(typeof(CloudEvent))]
internal sealed partial class WebhookJson : JsonSerializerContext;
