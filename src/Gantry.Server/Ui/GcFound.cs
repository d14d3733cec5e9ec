using Gantry.Core.GarbageCollection;

namespace Gantry.Server.Ui;

/// <summary>What a dry run found: how much of each kind, and the first of each by name. Memory: <see cref="Named"/> names a kind.</summary>
public sealed class GcFound
{
    /// <summary>How many of a kind are named; the rest are counted.</summary>
    public const int Named = 20;

    /// <summary>In the order in which a run gets to them.</summary>
    private static readonly (string Kind, string Text)[] Kinds =
    [
        ("upload", "Uploads that rested too long"), ("untagged", "Untagged manifests, hidden by a retention rule"), ("manifest", "Manifests"),
        ("link", "Links of repositories to blobs"), ("blob", "Blobs"), ("orphan", "Orphans: bytes without a row"),
        ("bytes", "Locations whose rows went before"),
    ];

    /// <summary>Only kinds of which there is something.</summary>
    public IReadOnlyList<GcKind> All { get; private init; } = [];

    public static async Task<GcFound> ReadAsync(GcPreview preview, CancellationToken cancellation)
    {
        var found = Kinds.ToDictionary(kind => kind.Kind, kind => new GcKind(kind.Text), StringComparer.Ordinal);
        await foreach (var item in preview.ListAsync(cancellation)) found[item.Kind].Add(item);
        return new GcFound { All = [.. Kinds.Select(kind => found[kind.Kind]).Where(kind => kind.Count > 0)] };
    }
}

/// <summary>What a dry run found of one kind.</summary>
public sealed class GcKind(string text)
{
    private readonly List<GcItem> _items = [];

    public string Text => text;

    public long Count { get; private set; }

    /// <summary>As far as they are known.</summary>
    public long Bytes { get; private set; }

    public IReadOnlyList<GcItem> Items => _items;

    internal void Add(GcItem item)
    {
        Count++;
        Bytes += item.Bytes ?? 0;
        if (_items.Count < GcFound.Named) _items.Add(item);
    }
}
