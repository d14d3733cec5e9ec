using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>One file of a layer, and all names that it has in the finished chain.</summary>
internal sealed record LinkGroup(LayerFile File, List<byte[]> Names);

/// <summary>Which files of lower layers have hard links in upper ones, and under which names each is seen in the end: they are copied together.</summary>
internal sealed class CrossLinkGroups(IReadOnlyList<OpenLayer> layers, ChainView view)
{
    private const long MaxBytes = 32 << 20;

    private readonly Dictionary<(int Layer, ulong Inode), LinkGroup> _groups = [];
    private long _bytes;

    public IReadOnlyCollection<LinkGroup> Find()
    {
        // 1. The links themselves, those that no layer above hides.
        for (var index = 0; index < layers.Count; index++)
        {
            foreach (var link in layers[index].Notes.CrossLinks)
            {
                var file = view.Below(index).FindFile(link.Target.Span) ?? throw Missing(index, link);
                if (view.Find(link.Name.Bytes) is not ViewEntry.Link seen || seen.Layer != index) continue;
                var key = (file.Layer, file.Status.Inode);
                if (!_groups.TryGetValue(key, out var group)) _groups[key] = group = new LinkGroup(file, []);
                Add(group, link.Name.Bytes);
            }
        }

        // 2. The names that the file has in its own layer: one, or all of the inode.
        foreach (var group in _groups.Values.Where(group => group.File.Status.Links == 1)) AddIfSeen(group, group.File.Layer, group.File.Path);
        foreach (var layer in _groups.Values.Where(group => group.File.Status.Links > 1).Select(group => group.File.Layer).Distinct().ToList()) Scan(layer);
        return _groups.Values;
    }

    private void Scan(int layer)
    {
        var pending = new Stack<byte[]>([[]]);
        while (pending.TryPop(out var path))
        {
            using var directory = layers[layer].OpenDirectory(path);
            using var names = new DirectoryNames(directory.Number);
            while (names.Next())
            {
                if (names.IsDirectory) pending.Push(ByteNames.Join(path, names.Name));
                else if (Kernel.Status(directory.Number, names.Name, out var status) == 0 && status.Links > 1 && _groups.TryGetValue((layer, status.Inode), out var group))
                    AddIfSeen(group, layer, ByteNames.Join(path, names.Name));
            }
        }
    }

    private void AddIfSeen(LinkGroup group, int layer, byte[] path)
    {
        if (view.Find(path) is ViewEntry.File seen && seen.Layer == layer) Add(group, path);
    }

    private void Add(LinkGroup group, byte[] name)
    {
        if ((_bytes += name.Length + LayerPath.Overhead) > MaxBytes) throw new LayerException(LayerFault.TooLarge, "the layers have too many hard links to files below them");
        group.Names.Add(name);
    }

    private LayerException Missing(int layer, LayerLink link)
    {
        var below = string.Join(", ", layers.Take(layer).Select(lower => lower.Name));
        return new(LayerFault.Link, $"layer {layers[layer].Name} has a hard link {link.Name} to {link.Target}, which is no file of the layers below: {(below.Length > 0 ? below : "there are none")}");
    }
}
