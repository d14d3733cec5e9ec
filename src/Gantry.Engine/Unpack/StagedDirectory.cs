using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>
/// A directory of the layer being unpacked, remembered until the layer's end: where it is, whether an entry named it, what is removed in it, and the mode and
/// time that it gets when everything in it is done. Files are not remembered.
/// </summary>
internal sealed class StagedDirectory(StagedDirectory? parent, byte[] name)
{
    /// <summary>What one costs in memory beside its name; the budget counts with it.</summary>
    public const int Overhead = 208;

    /// <summary>What the first child costs its parent beside itself: a dictionary.</summary>
    public const int FirstChildOverhead = 216;

    private Dictionary<byte[], StagedDirectory>? _children;
    private List<byte[]>? _removed;

    public StagedDirectory? Parent => parent;

    public byte[] Name => name;

    /// <summary>Bytes of its path below the root.</summary>
    public int PathLength { get; } = parent is null ? 0 : parent.PathLength + (parent.PathLength > 0 ? 1 : 0) + name.Length;

    /// <summary>False while only removals speak of it and nothing was made.</summary>
    public bool IsMade { get; set; }

    /// <summary>No entry names it: its metadata is the layers' below, where they have it.</summary>
    public bool IsImplied { get; set; } = true;

    /// <summary>It has an opaque marker: what the layers below have in it is hidden.</summary>
    public bool IsOpaque { get; set; }

    /// <summary>The layer removes the name and makes it anew: nothing of what was below stays, metadata included.</summary>
    public bool IsReplaced { get; set; }

    /// <summary>Overlayfs's whiteouts were made in it.</summary>
    public bool HasWhiteouts { get; set; }

    /// <summary>It, or a directory above, is not part of the layer any more.</summary>
    public bool IsDetached { get; set; }

    public uint Mode { get; set; } = 0x1ED; // 0755

    public TarTime Modified { get; set; }

    /// <summary>A default ACL, which what is made in the directory would inherit: set last.</summary>
    public byte[]? DefaultAcl { get; set; }

    /// <summary>Of <see cref="OpenDirectories"/>.</summary>
    public int Descriptor { get; set; } = -1;

    /// <inheritdoc cref="Descriptor"/>
    public long LastUse { get; set; }

    public bool HadChildren => _children is not null;

    public IEnumerable<StagedDirectory> Children => _children?.Values ?? Enumerable.Empty<StagedDirectory>();

    /// <summary>Names with a whiteout.</summary>
    public IReadOnlyList<byte[]> Removed => _removed ?? (IReadOnlyList<byte[]>)[];

    public StagedDirectory? Find(ReadOnlySpan<byte> child) =>
        _children is not null && _children.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(child, out var found) ? found : null;

    public StagedDirectory Add(ReadOnlySpan<byte> child)
    {
        var added = new StagedDirectory(this, child.ToArray());
        (_children ??= new(ByteNames.Comparer)).Add(added.Name, added);
        return added;
    }

    public void Remove(StagedDirectory child) => _children!.Remove(child.Name);

    public void AddRemoved(ReadOnlySpan<byte> child) => (_removed ??= []).Add(child.ToArray());

    /// <summary>Its path below <paramref name="ancestor"/>, or below the root.</summary>
    public byte[] PathBelow(StagedDirectory? ancestor = null)
    {
        var length = PathLength - (ancestor?.PathLength ?? 0);
        if (ancestor is { PathLength: > 0 }) length--;
        if (this == ancestor || length <= 0) return [];
        var path = new byte[length];
        for (var at = this; at != ancestor && at.Parent is not null; at = at.Parent)
        {
            length -= at.Name.Length;
            at.Name.CopyTo(path, length);
            if (length > 0) path[--length] = (byte)'/';
        }

        return path;
    }

    /// <summary>This one and all below, parents first. What is added while it runs may be missed.</summary>
    public IEnumerable<StagedDirectory> WithDescendants()
    {
        var pending = new Stack<StagedDirectory>([this]);
        while (pending.TryPop(out var next))
        {
            yield return next;
            foreach (var child in next.Children) pending.Push(child);
        }
    }
}
