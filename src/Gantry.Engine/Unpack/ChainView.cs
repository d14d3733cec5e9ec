using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>What a chain has at a path.</summary>
internal abstract record ViewEntry
{
    /// <summary>
    /// The layers whose directories are merged here, from the top down, and the one whose metadata is the directory's: the uppermost with an entry
    /// for it; null where none has.
    /// </summary>
    public sealed record Directory(IReadOnlyList<int> Layers, int? Source) : ViewEntry;

    public sealed record File(int Layer, FileStatus Status) : ViewEntry;

    /// <summary>A hard link to what <paramref name="Target"/> was in the layers below.</summary>
    public sealed record Link(int Layer, byte[] Target) : ViewEntry;
}

/// <summary>A file where it lies.</summary>
internal sealed record LayerFile(int Layer, byte[] Path, FileStatus Status);

/// <summary>
/// The first layers of a chain as one tree: overlayfs's own rules, and two more for what no layer alone can have on disk, links
/// to files below and the metadata of directories without an entry.
/// </summary>
internal sealed class ChainView : ITreeView
{
    private readonly IReadOnlyList<OpenLayer> _layers;
    private readonly int _count;
    private readonly ViewCache _cache;
    private readonly ChainView?[] _views;
    private readonly Dictionary<byte[], ViewEntry?> _known;
    private readonly Dictionary<byte[], LayerFile?> _files;

    public ChainView(IReadOnlyList<OpenLayer> layers, int count)
        : this(layers, count, new ViewCache(), new ChainView?[count + 1])
    {
    }

    /// <summary>One of each length is enough, whoever asks for it: links of links would make any number.</summary>
    private ChainView(IReadOnlyList<OpenLayer> layers, int count, ViewCache cache, ChainView?[] views)
    {
        (_layers, _count, _cache, _views) = (layers, count, cache, views);
        (_known, _files) = (cache.NewTable<ViewEntry?>(), cache.NewTable<LayerFile?>());
        views[count] = this;
    }

    public bool TryStatus(byte[] path, out FileStatus status)
    {
        status = default;
        switch (Find(path))
        {
            case ViewEntry.File file: status = file.Status; return true;
            case ViewEntry.Directory directory: return _layers[directory.Layers[0]].TryStatus(path, out status);
            case ViewEntry.Link link when Below(link.Layer).FindFile(link.Target) is { } target: status = target.Status; return true;
            default: return false;
        }
    }

    public byte[] ReadLink(byte[] path) => Find(path) switch
    {
        ViewEntry.File file => _layers[file.Layer].ReadLink(path),
        ViewEntry.Link link when Below(link.Layer).FindFile(link.Target) is { } target => _layers[target.Layer].ReadLink(target.Path),
        _ => [],
    };

    /// <summary>The same chain up to, and without, a layer.</summary>
    public ChainView Below(int layer) => _views[layer] ?? new ChainView(_layers, layer, _cache, _views);

    /// <summary>The file that a path leads to, as a hard link takes it: directories resolved, the last component not. Null for a directory, and for nothing.</summary>
    public LayerFile? FindFile(ReadOnlySpan<byte> path)
    {
        var key = path.ToArray();
        if (_files.TryGetValue(key, out var known)) return known;
        var found = this.Resolve(path, followsLast: false) is not { } real ? null : Find(real) switch
        {
            ViewEntry.File file => new LayerFile(file.Layer, real, file.Status),
            ViewEntry.Link link => Below(link.Layer).FindFile(link.Target),
            _ => null,
        };
        _cache.Add(_files, key, found);
        return found;
    }

    /// <summary>What is at a path whose directories are real ones; null for nothing.</summary>
    public ViewEntry? Find(byte[] path)
    {
        if (_known.TryGetValue(path, out var known)) return known;
        var found = path.Length == 0
            ? Merge(path, Enumerable.Range(0, _count).Reverse())
            : Find(ByteNames.DirectoryOf(path, out _).ToArray()) is ViewEntry.Directory parent ? Merge(path, parent.Layers) : null;
        _cache.Add(_known, path, found);
        return found;
    }

    private ViewEntry? Merge(byte[] path, IEnumerable<int> candidates)
    {
        var merged = new List<int>();
        var (source, isHidden) = ((int?)null, false);
        foreach (var index in candidates)
        {
            var layer = _layers[index];
            if (layer.Links.TryGetValue(path, out var target))
            {
                if (merged.Count == 0) return new ViewEntry.Link(index, target);
                break;
            }

            // 1. What is no directory ends the search: below it everything is hidden.
            if (!layer.TryStatus(path, out var status)) continue;
            if (!status.IsDirectory)
            {
                if (merged.Count == 0 && !status.IsWhiteout) return new ViewEntry.File(index, status);
                break;
            }

            // 2. An opaque directory hides what others have in it. Without an entry of its own it is still the directory that was there.
            if (!isHidden) merged.Add(index);
            if (!layer.Implied.Contains(path)) source ??= index;
            isHidden |= layer.IsOpaque(path);
            if (isHidden && source is not null) break;
        }

        return merged.Count == 0 ? null : new ViewEntry.Directory(merged, source);
    }
}
