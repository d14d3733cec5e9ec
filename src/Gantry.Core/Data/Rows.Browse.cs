namespace Gantry.Core.Data;

public sealed class RepositoryStatisticsRow
{
    public long RepositoryId { get; init; }
    public long Size { get; set; }
    public long Own { get; set; }
    public long Reclaimable { get; set; }
    public long Manifests { get; set; }
    public long Tags { get; set; }
    public DateTimeOffset? PushedAt { get; set; }
    public DateTimeOffset? PulledAt { get; set; }
    public long Pulls { get; set; }
    public DateTimeOffset? CountedAt { get; set; }
    public DateTimeOffset? StaleSince { get; set; }
    public DateTimeOffset CountAt { get; set; }
}

public sealed class TagPullsRow
{
    public long RepositoryId { get; init; }
    public required string Name { get; init; }
    public DateTimeOffset PulledAt { get; set; }
    public long Pulls { get; set; }
    public long Size { get; set; }
}

public sealed class ManifestFactsRow
{
    public long RepositoryId { get; init; }
    public required string Digest { get; init; }
    public long? Size { get; init; }
    public required string[] Platforms { get; init; }
    public DateTimeOffset? ImageCreated { get; init; }
    public string? Account { get; init; }
    public DateTimeOffset? PushedAt { get; init; }
    public DateTimeOffset? DueAt { get; init; }
}

public sealed class ReadmeRow
{
    public long RepositoryId { get; init; }
    public required string Markdown { get; set; }
    public string? Account { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
}

public sealed class LayerListingRow
{
    public required string Digest { get; init; }
    public required string State { get; set; }
    public DateTimeOffset AskedAt { get; set; }
    public bool Urgent { get; set; }
    public int? Node { get; set; }
    public int Attempts { get; set; }
    public int Version { get; set; }
    public string? DiffId { get; set; }
    public long? Entries { get; set; }
    public long? Bytes { get; set; }

    /// <summary>JSON as text, or null.</summary>
    public string? Packages { get; set; }
    public string? Error { get; set; }
}

public sealed class LayerPageRow
{
    public required string Digest { get; init; }
    public required byte[] First { get; init; }
    public required byte[] Page { get; init; }
}

public sealed class StorageSampleRow
{
    public DateTimeOffset At { get; init; }
    public long Blobs { get; init; }
    public long Bytes { get; init; }
    public long Doomed { get; init; }
}

public sealed class NodeRow
{
    public int Number { get; init; }
    public required string Name { get; set; }
    public required string Version { get; set; }
    public DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset SeenAt { get; set; }
}
