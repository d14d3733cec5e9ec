using Gantry.Layers;

namespace Gantry.Core.Look.Indexing;

/// <summary>
/// The names of one layer as they would be on disk were it unpacked alone. A node is a name in a directory, whether something is there or a removal alone speaks of it.
/// Some 80 bytes an ordinary file, all of it from the budget: nodes and their bytes lie in blocks, found by a table of parent and name.
/// </summary>
internal sealed class LayerTree
{
    public const int Root = 0, None = -1;

    private const int BlockBits = 12, NodeBytes = 36;

    private readonly MemoryBudget _budget;
    private readonly List<Node[]> _blocks = [];
    private int[] _table = [];
    private int _count;

    public LayerTree(MemoryBudget budget)
    {
        (_budget, Bytes) = (budget, new Arena(budget));
        _ = Add(None, []);
        At(Root).State = NodeState.Directory | NodeState.Implied;
    }

    /// <summary>Names, records and paths of links.</summary>
    public Arena Bytes { get; }

    public ref Node At(int node) => ref _blocks[node >> BlockBits][node & ((1 << BlockBits) - 1)];

    public ReadOnlySpan<byte> NameOf(int node) => Bytes[At(node).Name];

    public bool IsDirectory(int node) => (At(node).State & NodeState.Directory) != NodeState.None;

    /// <summary>Something is there.</summary>
    public bool IsMade(int node) => (At(node).State & (NodeState.Directory | NodeState.Leaf)) != NodeState.None;

    public int ParentOf(int node) => node == Root ? Root : At(node).Parent;

    public int Find(int parent, ReadOnlySpan<byte> name)
    {
        if (_table.Length == 0) return None;
        for (var node = _table[Slot(parent, name)] - 1; node >= 0; node = At(node).Next)
        {
            if (At(node).Parent == parent && NameOf(node).SequenceEqual(name)) return node;
        }

        return None;
    }

    public int GetOrAdd(int parent, ReadOnlySpan<byte> name) => Find(parent, name) is var found and >= 0 ? found : Add(parent, name);

    /// <summary>A directory that is there because something in it is.</summary>
    public void MakeDirectory(int node)
    {
        ref var made = ref At(node);
        made.State = (made.State & NodeState.Kept) | NodeState.Directory | NodeState.Implied;
        made.Record = made.Link = None;
    }

    /// <summary>The path below the root.</summary>
    public byte[] PathOf(int node)
    {
        var length = -1;
        for (var at = node; at != Root; at = At(at).Parent) length += NameOf(at).Length + 1;
        if (length <= 0) return [];
        var path = new byte[length];
        for (var at = node; at != Root; at = At(at).Parent)
        {
            var name = NameOf(at);
            length -= name.Length;
            name.CopyTo(path.AsSpan(length));
            if (length > 0) path[--length] = (byte)'/';
        }

        return path;
    }

    /// <summary>
    /// Takes away what is at a name: a later entry of the layer has it. What was said of the layers below, there and further down, stays said.
    /// </summary>
    public void Clear(int node)
    {
        ref var cleared = ref At(node);
        var wasDirectory = (cleared.State & NodeState.Directory) != NodeState.None;
        cleared.State &= NodeState.Kept;
        cleared.Record = cleared.Link = None;
        if (!wasDirectory) return;

        // Gone nodes are not met again, so that a directory that comes and goes costs no more than what was put into it.
        cleared.State &= ~NodeState.Remembered;
        var marked = new List<int>();
        var gone = new Stack<int>();
        PushChildren(node, gone);
        cleared.FirstChild = None;
        while (gone.TryPop(out var next))
        {
            Unlink(next);
            if ((At(next).State & (NodeState.Opaque | NodeState.Removed)) != NodeState.None) marked.Add(next);
            PushChildren(next, gone);
        }

        if ((At(node).State & NodeState.Opaque) != NodeState.None) At(node).State |= NodeState.Remembered;
        foreach (var mark in marked) Remember(node, mark);
    }

    /// <summary>The nodes that are in a directory, in no order.</summary>
    public IEnumerable<int> ChildrenOf(int node)
    {
        for (var child = At(node).FirstChild; child >= 0; child = At(child).Sibling) yield return child;
    }

    private void Remember(int top, int gone)
    {
        var path = new Stack<int>();
        for (var at = gone; at != top; at = At(at).Parent) path.Push(at);
        var kept = top;
        foreach (var name in path)
        {
            At(kept).State |= NodeState.Remembered;
            kept = GetOrAdd(kept, NameOf(name));
        }

        var state = At(gone).State;
        At(kept).State |= state & (NodeState.Removed | NodeState.Opaque);
        if ((state & NodeState.Opaque) != NodeState.None) At(kept).State |= NodeState.Remembered;
    }

    private void PushChildren(int node, Stack<int> to)
    {
        for (var child = At(node).FirstChild; child >= 0; child = At(child).Sibling) to.Push(child);
    }

    private int Add(int parent, ReadOnlySpan<byte> name)
    {
        if (_count >> BlockBits == _blocks.Count)
        {
            _budget.Take(NodeBytes << BlockBits);
            _blocks.Add(new Node[1 << BlockBits]);
        }

        var node = _count++;
        ref var added = ref At(node);
        added = new Node { Parent = parent, Name = Bytes.Add(name), FirstChild = None, Sibling = None, Record = None, Link = None };
        if (parent >= 0)
        {
            added.Sibling = At(parent).FirstChild;
            At(parent).FirstChild = node;
        }

        if (_count > _table.Length) Grow();
        else Enter(node);
        return node;
    }

    private void Grow()
    {
        var size = Math.Max(1024, _table.Length * 2);
        _budget.Take(sizeof(int) * (size - (long)_table.Length));
        _table = new int[size];
        for (var node = 0; node < _count; node++)
        {
            if ((At(node).State & NodeState.Gone) == NodeState.None) Enter(node);
        }
    }

    private void Enter(int node)
    {
        ref var slot = ref _table[Slot(At(node).Parent, NameOf(node))];
        At(node).Next = slot - 1;
        slot = node + 1;
    }

    private void Unlink(int node)
    {
        ref var slot = ref _table[Slot(At(node).Parent, NameOf(node))];
        if (slot - 1 == node) slot = At(node).Next + 1;
        else
        {
            var before = slot - 1;
            while (At(before).Next != node) before = At(before).Next;
            At(before).Next = At(node).Next;
        }

        At(node).State |= NodeState.Gone;
    }

    /// <summary>Its seed is another in each process: nobody can choose names that all have one slot.</summary>
    private int Slot(int parent, ReadOnlySpan<byte> name)
    {
        var hash = default(HashCode);
        hash.Add(parent);
        hash.AddBytes(name);
        return hash.ToHashCode() & (_table.Length - 1);
    }

    internal struct Node
    {
        public int Parent, Name, Next, FirstChild, Sibling;

        /// <summary>An <see cref="Listings.EntryRecord"/>; two names of one file have the same. None: a directory without an entry, or nothing.</summary>
        public int Record;

        /// <summary>The path that a hard link names.</summary>
        public int Link;

        public NodeState State;
    }
}

[Flags]
internal enum NodeState
{
    None = 0,
    Directory = 1,

    /// <summary>Anything that is no directory.</summary>
    Leaf = 2,

    /// <summary>A directory that no entry names.</summary>
    Implied = 4,

    /// <summary>A hard link whose target has not come yet.</summary>
    Pending = 8,

    /// <summary>Pending, and being followed.</summary>
    Visited = 0x10,

    /// <summary>A directory that only removals speak of, unless it is made.</summary>
    Remembered = 0x20,

    /// <summary>A whiteout names it.</summary>
    Removed = 0x40,
    Opaque = 0x80,

    /// <summary>Not part of the layer any more.</summary>
    Gone = 0x100,

    /// <summary>A link to what the layers below have.</summary>
    Cross = 0x200,

    Kept = Remembered | Removed | Opaque,
}
