namespace Gantry.Core.Data;

public sealed class WebhookRow
{
    public long Id { get; init; }
    public long? NamespaceId { get; init; }
    public required string Name { get; set; }
    public required string Url { get; set; }
    public required string Format { get; set; }
    public required string[] Kinds { get; set; }
    public required string Repositories { get; set; }
    public required byte[] Secret { get; set; }
    public byte[]? Credential { get; set; }
    public bool Active { get; set; }
    public DateTimeOffset? FailedSince { get; set; }
    public bool Failing { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
}

public sealed class WebhookDeliveryRow
{
    public long Id { get; init; }
    public long WebhookId { get; init; }
    public long? EventId { get; init; }
    public Guid MessageId { get; init; }
    public required string Kind { get; init; }
    public required string ContentType { get; init; }
    public required string Body { get; init; }
    public required string State { get; set; }
    public int Attempts { get; set; }
    public DateTimeOffset? DueAt { get; set; }
    public int? Node { get; set; }
    public int? Status { get; set; }
    public string? Answer { get; set; }
    public string? Error { get; set; }
    public int? Milliseconds { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? TriedAt { get; set; }
}
