using Gantry.Layers;

namespace Gantry.Core.Look.Indexing;

/// <summary>
/// From the names in an archive to nodes, as unpacking resolves them: symbolic links that the layer itself has made on the way are followed as chroot would,
/// an absolute one from the layer's root, ".." stopping there.
/// </summary>
internal sealed class LayerNames(LayerTree tree)
{
    private const int MaxLinks = 40, MaxSteps = 20_000;

    private byte[] _lastPath = [];
    private int _last = LayerTree.None;

    private enum Missing
    {
        Make,
        Remember,
        Stop,
    }

    /// <summary>The directory that <paramref name="path"/> names, made with its parents where it is not there.</summary>
    public int Make(ReadOnlySpan<byte> path)
    {
        if (_last >= 0 && path.SequenceEqual(_lastPath)) return _last;
        var found = Walk(path, Missing.Make, out _);
        (_lastPath, _last) = (path.ToArray(), found);
        return found;
    }

    /// <summary>The same for a removal: what is not there is remembered and not made.</summary>
    public int Remember(ReadOnlySpan<byte> path) => Walk(path, Missing.Remember, out _);

    /// <summary>None where the layer has no such directory; then <paramref name="elsewhere"/> is where it would be in the layers below.</summary>
    public int Find(ReadOnlySpan<byte> path, out byte[] elsewhere) => Walk(path, Missing.Stop, out elsewhere);

    /// <summary>Takes what is at a node away for something else.</summary>
    public void Clear(int node)
    {
        _last = LayerTree.None;
        tree.Clear(node);
    }

    public static LayerException TooLong(ReadOnlySpan<byte> name) => new(LayerFault.Path, $"the path of {Printable.Of(name)} is too long");

    private int Walk(ReadOnlySpan<byte> path, Missing missing, out byte[] elsewhere)
    {
        var at = LayerTree.Root;
        var rest = path;
        var (links, steps, ownLength) = (0, 0, path.Length);
        elsewhere = [];
        while (TakeComponent(ref rest, out var component))
        {
            if (++steps > MaxSteps) throw TooFar(path);
            if (component.SequenceEqual(".."u8))
            {
                at = tree.ParentOf(at);
                continue;
            }

            // 1. A directory that is there, or that a removal has spoken of before.
            var next = tree.Find(at, component);
            if (next >= 0 && (tree.IsDirectory(next) || (missing == Missing.Remember && (tree.At(next).State & NodeState.Remembered) != NodeState.None)))
            {
                at = next;
                continue;
            }

            // 2. A symbolic link: its target comes before what is left.
            if (next >= 0 && SymbolicTarget(next) is { } target)
            {
                if (++links > MaxLinks) throw TooFar(path);
                if (target is [(byte)'/', ..]) at = LayerTree.Root;
                ownLength = Math.Min(ownLength, rest.Length);
                rest = (byte[])[.. target, (byte)'/', .. rest];
                continue;
            }

            // 3. Nothing, or a file.
            if (missing == Missing.Stop)
            {
                elsewhere = Remaining(at, component, rest);
                return LayerTree.None;
            }

            at = missing == Missing.Remember ? Remember(at, component) : Make(at, component, next, isNamed: rest.Length < ownLength, path);
        }

        return at;
    }

    private int Remember(int at, ReadOnlySpan<byte> component)
    {
        var node = tree.GetOrAdd(at, component);
        RequireLength(node);
        tree.At(node).State |= NodeState.Remembered;
        return node;
    }

    /// <summary>A later entry wins over a file, but not where a link leads to it: nobody asked for that file to go.</summary>
    private int Make(int at, ReadOnlySpan<byte> component, int there, bool isNamed, ReadOnlySpan<byte> path)
    {
        if (there >= 0 && tree.IsMade(there))
        {
            if (!isNamed) throw new LayerException(LayerFault.Link, $"{Printable.Of(path)} leads through a link to something that is no directory");
            Clear(there);
        }

        var node = there >= 0 ? there : tree.GetOrAdd(at, component);
        tree.MakeDirectory(node);
        RequireLength(node);
        return node;
    }

    private byte[]? SymbolicTarget(int node)
    {
        if ((tree.At(node).State & NodeState.Leaf) == NodeState.None || tree.At(node).Record < 0) return null;
        var bytes = tree.Bytes[tree.At(node).Record];
        return Listings.EntryRecord.Read(ref bytes) is { Kind: EntryKind.SymbolicLink } record ? record.Target : null;
    }

    private void RequireLength(int node)
    {
        var length = -1;
        for (var at = node; at != LayerTree.Root; at = tree.ParentOf(at)) length += tree.NameOf(at).Length + 1;
        if (length >= EntryName.MaxPath) throw TooLong(tree.NameOf(node));
    }

    private byte[] Remaining(int at, ReadOnlySpan<byte> component, ReadOnlySpan<byte> rest)
    {
        var path = new ImagePath(tree.PathOf(at)).Below(component);
        while (TakeComponent(ref rest, out var next))
        {
            path = next.SequenceEqual(".."u8) ? path.Parent : path.Below(next);
            if (path.Bytes.Length >= EntryName.MaxPath) throw TooLong(component);
        }

        return path.Bytes.ToArray();
    }

    private static bool TakeComponent(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> component)
    {
        do
        {
            var slash = rest.IndexOf((byte)'/');
            component = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? default : rest[(slash + 1)..];
            if (!component.IsEmpty && !component.SequenceEqual("."u8)) return true;
        }
        while (!rest.IsEmpty);
        return false;
    }

    private static LayerException TooFar(ReadOnlySpan<byte> path) =>
        new(LayerFault.Link, $"{Printable.Of(path)} goes through too many symbolic links, or round in a circle");
}
