using System.Buffers;
using System.Runtime.InteropServices;
using Gantry.Core.Look.Listings;

namespace Gantry.Core.Look.Indexing;

/// <summary>
/// A finished tree, walked in the order of its entries' keys. What the layer removes and makes anew hides what is below: a file by itself, a directory by being opaque; a
/// removal in a directory that the layer has nothing else in makes that directory, as unpacking does. Memory: the names of one directory at a time, and the
/// directories that wait, eight bytes each.
/// </summary>
internal sealed class LayerOrder(LayerTree tree)
{
    private readonly byte[] _implied = RecordBytes(EntryRecord.ImpliedDirectory);
    private readonly byte[] _removal = RecordBytes(EntryRecord.Bare(EntryKind.Removal));
    private readonly byte[] _cross = RecordBytes(EntryRecord.Bare(EntryKind.HardLink));

    /// <summary>How many entries there were, the root's among them, once all pages were taken.</summary>
    public long Entries { get; private set; }

    /// <summary>The pages as they are stored, the first to the last; to be asked once.</summary>
    public IEnumerable<(byte[] First, byte[] Page)> Pages()
    {
        var pages = new LayerPageWriter();
        Entries = 1;
        pages.Add([], Record(LayerTree.Root), MarksOf(LayerTree.Root, isReplaced: false), []);
        var names = new List<int>();
        var directories = new Stack<int>([LayerTree.Root]);
        while (directories.TryPop(out var directory))
        {
            Collect(directory, names);
            var path = tree.PathOf(directory);
            foreach (var node in names)
            {
                Entries++;
                Add(pages, EntryKey.Of(path, tree.NameOf(node)), node);
                if (pages.IsFull) yield return pages.Take();
            }

            for (var index = names.Count - 1; index >= 0; index--)
            {
                if (tree.IsDirectory(names[index])) directories.Push(names[index]);
            }
        }

        if (!pages.IsEmpty) yield return pages.Take();
    }

    private void Collect(int directory, List<int> names)
    {
        names.Clear();
        foreach (var node in tree.ChildrenOf(directory))
        {
            var state = tree.At(node).State;
            var isRemembered = (state & NodeState.Remembered) != NodeState.None && (state & NodeState.Removed) == NodeState.None;
            if (!tree.IsMade(node) && isRemembered) tree.MakeDirectory(node);
            if (tree.IsMade(node) || (state & NodeState.Removed) != NodeState.None) names.Add(node);
        }

        CollectionsMarshal.AsSpan(names).Sort((left, right) => tree.NameOf(left).SequenceCompareTo(tree.NameOf(right)));
    }

    private void Add(LayerPageWriter pages, byte[] key, int node)
    {
        var state = tree.At(node).State;
        if (!tree.IsMade(node)) pages.Add(key, _removal, EntryMarks.None, []);
        else if ((state & NodeState.Directory) != NodeState.None) pages.Add(key, Record(node), MarksOf(node, (state & NodeState.Removed) != NodeState.None), []);
        else if ((state & NodeState.Cross) != NodeState.None) pages.Add(key, _cross, EntryMarks.Linked, tree.Bytes[tree.At(node).Link]);
        else if (tree.At(node).Link >= 0) pages.Add(key, Record(node), EntryMarks.Linked, tree.Bytes[tree.At(node).Link]);
        else pages.Add(key, Record(node), EntryMarks.None, []);
    }

    /// <summary>A directory that is removed and made anew has nothing of what was below, its metadata neither.</summary>
    private EntryMarks MarksOf(int directory, bool isReplaced)
    {
        var state = tree.At(directory).State;
        var marks = isReplaced || (state & NodeState.Opaque) != NodeState.None ? EntryMarks.Opaque : EntryMarks.None;
        return (state & NodeState.Implied) != NodeState.None && !isReplaced ? marks | EntryMarks.Implied : marks;
    }

    private ReadOnlySpan<byte> Record(int node) => tree.At(node).Record is var record and >= 0 ? tree.Bytes[record] : _implied;

    private static byte[] RecordBytes(EntryRecord record)
    {
        var bytes = new ArrayBufferWriter<byte>();
        record.Write(bytes);
        return bytes.WrittenSpan.ToArray();
    }
}
