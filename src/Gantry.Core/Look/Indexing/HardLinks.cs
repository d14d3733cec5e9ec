using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Core.Look.Indexing;

/// <summary>
/// Hard links of a layer. One whose target is there becomes another name of it at once; the others wait for the end, because the target may come later. What then is
/// still missing is in a layer below, or nowhere.
/// </summary>
internal sealed class HardLinks(LayerTree tree, LayerNames names)
{
    private readonly List<Range> _components = [];
    private readonly List<int> _pending = [];

    public void Add(int parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        var target = Plain(entry.LinkName.Span).AsSpan();
        EntryName.Split(target, _components);
        if (_components.Count == 0) throw Bad(name, entry.LinkName.Span, "leads to a directory");
        foreach (var range in _components)
        {
            if (EntryName.Whiteout(target[range]) != WhiteoutKind.None) throw Bad(name, target, "leads into what no layer keeps");
        }

        var link = tree.GetOrAdd(parent, name);
        var found = names.Find(target[.._components[^1].Start], out _);
        var there = found < 0 ? LayerTree.None : tree.Find(found, target[_components[^1]]);
        if (there >= 0 && TryLink(link, there, target)) return;

        // Whatever is at the name gives way now; what comes to be there later stays.
        if (tree.IsMade(link)) names.Clear(link);
        tree.At(link).State |= NodeState.Pending;
        tree.At(link).Link = tree.Bytes.Add(target);
        _pending.Add(link);
    }

    /// <summary>At the end of the layer. Links to links make chains, each of one target: walked to its end, and then back.</summary>
    public void Resolve(CancellationToken cancellationToken)
    {
        foreach (var link in _pending)
        {
            if (!IsPending(link)) continue;
            var chain = new List<int>();
            var next = link;
            while (next >= 0 && IsPending(next) && (tree.At(next).State & NodeState.Visited) == NodeState.None)
            {
                // No byte is read any more, and each may go through thousands of names.
                cancellationToken.ThrowIfCancellationRequested();
                tree.At(next).State |= NodeState.Visited;
                chain.Add(next);
                next = NextOf(next);
            }

            if (next >= 0 && IsPending(next)) throw Bad(tree.NameOf(link), tree.Bytes[tree.At(link).Link], "leads to itself");
            var elsewhere = next >= 0 && (tree.At(next).State & NodeState.Cross) != NodeState.None ? tree.Bytes[tree.At(next).Link].ToArray() : null;
            for (var index = chain.Count - 1; index >= 0; index--)
            {
                cancellationToken.ThrowIfCancellationRequested();
                elsewhere = Finish(chain[index], elsewhere);
            }
        }
    }

    private static LayerException Bad(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, string what) =>
        new(LayerFault.Link, $"the hard link {Printable.Of(name)} to {Printable.Of(target)} {what}");

    /// <summary>Its components and single slashes: what stands between them may be a million bytes, and says nothing.</summary>
    private byte[] Plain(ReadOnlySpan<byte> target)
    {
        EntryName.Split(target, _components);
        using var plain = new MemoryStream();
        foreach (var range in _components)
        {
            if (plain.Length > 0) plain.WriteByte((byte)'/');
            plain.Write(target[range]);
        }

        return plain.ToArray();
    }

    private bool IsPending(int node) => (tree.At(node).State & (NodeState.Pending | NodeState.Gone)) == NodeState.Pending;

    /// <summary>The pending link, or the link to the layers below, that is this one's target.</summary>
    private int NextOf(int link)
    {
        var there = Locate(link, out _);
        return there >= 0 && there != link && (tree.At(there).State & (NodeState.Pending | NodeState.Cross)) != NodeState.None ? there : LayerTree.None;
    }

    /// <summary>Null where the link is made; else the path that it has in the layers below, which is <paramref name="known"/> where its target is pending too.</summary>
    private byte[]? Finish(int link, byte[]? known)
    {
        var target = tree.Bytes[tree.At(link).Link].ToArray();
        var there = Locate(link, out var elsewhere);
        if (known is null && there >= 0 && there != link && TryLink(link, there, target)) return null;
        known ??= elsewhere;
        ref var cross = ref tree.At(link);
        cross.State = (cross.State & NodeState.Kept) | NodeState.Leaf | NodeState.Cross;
        (cross.Record, cross.Link) = (LayerTree.None, tree.Bytes.Add(known));
        return known;
    }

    private int Locate(int link, out byte[] elsewhere)
    {
        var target = tree.Bytes[tree.At(link).Link];
        EntryName.Split(target, _components);
        var last = target[_components[^1]];
        var parent = names.Find(target[.._components[^1].Start], out elsewhere);
        elsewhere = new ImagePath(parent < 0 ? elsewhere : tree.PathOf(parent)).Below(last).Bytes.ToArray();
        return parent < 0 ? LayerTree.None : tree.Find(parent, last);
    }

    /// <summary>False: there is nothing at the target yet.</summary>
    private bool TryLink(int link, int there, ReadOnlySpan<byte> target)
    {
        if (!tree.IsMade(there)) return false;
        if (tree.IsDirectory(there)) throw Bad(tree.NameOf(link), target, "leads to a directory");
        var record = tree.At(there).Record;
        if (link == there || (tree.IsMade(link) && !tree.IsDirectory(link) && tree.At(link).Record == record)) return true;

        // The target may lie in what the link takes the place of.
        if (tree.IsMade(link)) names.Clear(link);
        var path = tree.Bytes.Add(target);
        ref var made = ref tree.At(link);
        made.State = (made.State & NodeState.Kept) | NodeState.Leaf;
        (made.Record, made.Link) = (record, path);
        return true;
    }
}
