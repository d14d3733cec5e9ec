using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>A hard link to a file of a layer below: paths below the root, of real components on the link's side.</summary>
internal sealed record CrossLink(StagedDirectory Parent, byte[] Name, byte[] Target);

/// <summary>
/// Hard links of the layer. One whose target is there is made at once; the others wait for the end, because the target may come later. What then is
/// still missing is in a layer below, or nowhere. The header's metadata says nothing: it is the target's.
/// </summary>
internal sealed class HardLinks(LayerStage stage)
{
    private readonly List<Range> _components = [];
    private readonly Dictionary<(StagedDirectory Parent, ByteKey Name), PendingLink> _pending = [];

    private enum LinkState
    {
        Waiting,
        Visited,
        Made,
        Elsewhere,
    }

    public void Add(StagedDirectory parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        // ".." is refused, as in names; a leading "/" is the image's root, and "./" nothing.
        var target = entry.LinkName.Span;
        EntryName.Split(target, _components);
        if (_components.Count == 0) throw Bad(name, target, "leads to a directory");
        foreach (var range in _components)
        {
            if (EntryName.Whiteout(target[range]) != WhiteoutKind.None) throw Bad(name, target, "leads into what no layer keeps");
        }

        stage.Budget.TakeInode();
        _pending.Remove((parent, new ByteKey(name.ToArray())));
        var slash = _components[^1].Start;
        var found = stage.Resolver.Find(target[..slash], out _);
        var last = target[_components[^1]];
        if (found is not null && TryLink(found, last, parent, name, target)) return;

        // Whatever is at the name gives way now; what comes to be there later stays.
        if (Kernel.Status(stage.Open.Of(parent), name, out _) == 0)
        {
            if (found == parent && last.SequenceEqual(name)) return;
            stage.Tolerate(LayerFault.Path, $"{Printable.Of(entry.Name.Span)} is there twice");
            stage.Clear(parent, name);
        }

        stage.Budget.Retain(name.Length + target.Length + 200);
        _pending[(parent, new ByteKey(name.ToArray()))] = new PendingLink(parent, name.ToArray(), target.ToArray());
    }

    /// <summary>At the end of the layer: the links that only the layers below can satisfy.</summary>
    public List<CrossLink> Resolve()
    {
        var cross = new List<CrossLink>();
        foreach (var link in _pending.Values)
        {
            if (link.State != LinkState.Waiting || link.Parent.IsDetached || IsThere(link)) continue;

            // Links to links make chains, each of one target: walked to its end, and then back.
            var chain = new List<PendingLink>();
            var next = link;
            while (next is { State: LinkState.Waiting })
            {
                next.State = LinkState.Visited;
                chain.Add(next);
                next = NextOf(next);
            }

            if (next is { State: LinkState.Visited }) throw Bad(link.Name, link.Target, "leads to itself");
            var elsewhere = next?.Elsewhere;
            for (var index = chain.Count - 1; index >= 0; index--)
            {
                elsewhere = Finish(chain[index], elsewhere);
                if (elsewhere is not null) cross.Add(new CrossLink(chain[index].Parent, chain[index].Name, elsewhere));
            }
        }

        return cross;
    }

    private static LayerException Bad(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, string what) =>
        new(LayerFault.Link, $"the hard link {Printable.Of(name)} to {Printable.Of(target)} {what}");

    private bool IsThere(PendingLink link) => Kernel.Status(stage.Open.Of(link.Parent), link.Name, out _) == 0;

    /// <summary>The pending link that is this one's target, if it is one.</summary>
    private PendingLink? NextOf(PendingLink link)
    {
        if (Locate(link, out var last, out _) is not { } parent) return null;
        if (Kernel.Status(stage.Open.Of(parent), last, out _) == 0) return null;
        return _pending.GetValueOrDefault((parent, new ByteKey(last))) is { } next && next != link ? next : null;
    }

    /// <summary>Null where the link is made; else the path that it has in the layers below, which are <paramref name="known"/> where its target is pending too.</summary>
    private byte[]? Finish(PendingLink link, byte[]? known)
    {
        var parent = Locate(link, out var last, out var elsewhere);
        if (parent is not null && TryLink(parent, last, link.Parent, link.Name, link.Target)) link.State = LinkState.Made;
        else (link.State, link.Elsewhere) = (LinkState.Elsewhere, known ?? elsewhere);
        return link.Elsewhere;
    }

    private StagedDirectory? Locate(PendingLink link, out byte[] last, out byte[] elsewhere)
    {
        EntryName.Split(link.Target, _components);
        last = link.Target[_components[^1]];
        var parent = stage.Resolver.Find(link.Target.AsSpan()[.._components[^1].Start], out elsewhere);
        elsewhere = ByteNames.Join(parent?.PathBelow() ?? elsewhere, last);
        return parent;
    }

    /// <summary>False: there is no such target in the layer.</summary>
    private bool TryLink(StagedDirectory from, ReadOnlySpan<byte> target, StagedDirectory parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> shown)
    {
        // 1. The usual case.
        var (source, directory) = (stage.Open.Of(from), stage.Open.Of(parent));
        var result = Kernel.Link(source, target, directory, name);
        if (result == 0) return true;
        if (result == -Errno.NoEntry) return false;
        PosixFault.Check(Kernel.Status(source, target, out var status), "stat", shown);
        if (status.IsDirectory) throw Bad(name, shown, "leads to a directory");
        if (result != -Errno.Exists) PosixFault.Check(result, "link", shown);

        // 2. Something has the name. By way of another one, for the target may lie in what is removed.
        if (Kernel.Status(directory, name, out var old) == 0 && old.IsSameFileAs(status)) return true;
        stage.Tolerate(LayerFault.Path, $"{Printable.Of(name)} is there twice");
        var between = ScratchNames.Random();
        PosixFault.Check(Kernel.Link(source, target, directory, between), "link", shown);
        stage.Clear(parent, name);
        PosixFault.Check(Kernel.Rename(stage.Open.Of(parent), between, stage.Open.Of(parent), name, replace: true), "rename", name);
        return true;
    }

    /// <summary>A name as part of a key.</summary>
    private readonly record struct ByteKey(byte[] Bytes)
    {
        public bool Equals(ByteKey other) => ByteNames.Comparer.Equals(Bytes, other.Bytes);

        public override int GetHashCode() => ByteNames.Comparer.GetHashCode(Bytes);
    }

    private sealed class PendingLink(StagedDirectory parent, byte[] name, byte[] target)
    {
        public StagedDirectory Parent => parent;

        public byte[] Name => name;

        public byte[] Target => target;

        public LinkState State { get; set; }

        public byte[]? Elsewhere { get; set; }
    }
}
