using System.Buffers;
using Gantry.Core.Look.Listings;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Core.Look.Indexing;

/// <summary>
/// Puts the entries of an archive into a tree, by the rules by which the engine unpacks them: of two the later wins, what is refused there is refused here. Tests hold
/// both to the same layers.
/// </summary>
internal sealed class LayerBuild(LayerTree tree, FileContents contents)
{
    private readonly LayerNames _names = new(tree);
    private readonly List<Range> _components = [];
    private readonly ArrayBufferWriter<byte> _record = new(256);
    private HardLinks? _links;

    private HardLinks Links => _links ??= new HardLinks(tree, _names);

    public void Add(TarReader reader)
    {
        var entry = reader.Entry;
        var path = entry.Name.Span;

        // 1. The root itself.
        EntryName.Split(path, _components);
        if (_components.Count == 0)
        {
            if (entry.Type != TarEntryType.Directory) throw new LayerException(LayerFault.EntryType, "the layer makes the root something other than a directory");
            Put(LayerTree.Root, NodeState.Directory, RecordOf(entry, EntryKind.Directory));
            return;
        }

        // 2. What is no file but says something of the layers below.
        var name = path[_components[^1]];
        var directory = path[.._components[^1].Start];
        if (IsInReservedDirectory(path)) return;
        switch (EntryName.Whiteout(name))
        {
            case WhiteoutKind.Removed:
                tree.At(tree.GetOrAdd(_names.Remember(directory), name[EntryName.WhiteoutPrefix.Length..])).State |= NodeState.Removed;
                return;
            case WhiteoutKind.Opaque:
                tree.At(_names.Make(directory)).State |= NodeState.Opaque;
                return;
            case WhiteoutKind.Ignored:
                return;
        }

        // 3. The thing itself, below a directory that is there now.
        var parent = _names.Make(directory);
        if (tree.PathOf(parent).Length + 1 + name.Length >= EntryName.MaxPath) throw LayerNames.TooLong(name);
        if (entry.Type == TarEntryType.HardLink)
        {
            Links.Add(parent, name, entry);
            return;
        }

        // Overlayfs takes a device 0:0 for a removal, so that nobody unpacks it.
        if (entry is { Type: TarEntryType.CharacterDevice, DeviceMajor: 0, DeviceMinor: 0 }) return;
        var record = RecordOf(entry, KindOf(entry.Type));
        var node = tree.GetOrAdd(parent, name);
        if (entry.Type == TarEntryType.Directory)
        {
            if (tree.IsMade(node) && !tree.IsDirectory(node)) _names.Clear(node);
            Put(node, NodeState.Directory, record);
            return;
        }

        if (tree.IsMade(node)) _names.Clear(node);
        if (entry.Type == TarEntryType.RegularFile)
        {
            var position = reader.ContentPosition;
            var check = contents.Read(reader, new ImagePath(tree.PathOf(node)), position is not null);
            record = record with { Size = entry.Size, Offset = position, Check = check };
        }

        Put(node, NodeState.Leaf, record);
    }

    /// <summary>After the last entry.</summary>
    public void Finish(CancellationToken cancellationToken) => _links?.Resolve(cancellationToken);

    private void Put(int node, NodeState kind, EntryRecord record)
    {
        _record.ResetWrittenCount();
        record.Write(_record);
        ref var put = ref tree.At(node);
        put.State = (put.State & NodeState.Kept) | kind;
        (put.Record, put.Link) = (tree.Bytes.Add(_record.WrittenSpan), LayerTree.None);
    }

    /// <summary>True: one of AUFS's own, with all that is in it. Any other whiteout's name is no directory.</summary>
    private bool IsInReservedDirectory(ReadOnlySpan<byte> path)
    {
        for (var index = 0; index < _components.Count - 1; index++)
        {
            switch (EntryName.Whiteout(path[_components[index]]))
            {
                case WhiteoutKind.None: continue;
                case WhiteoutKind.Ignored: return true;
                default: throw new LayerException(LayerFault.Path, $"{Printable.Of(path)} lies in a whiteout");
            }
        }

        return false;
    }

    private static EntryKind KindOf(TarEntryType type) => type switch
    {
        TarEntryType.RegularFile => EntryKind.File,
        TarEntryType.Directory => EntryKind.Directory,
        TarEntryType.SymbolicLink => EntryKind.SymbolicLink,
        TarEntryType.CharacterDevice => EntryKind.CharacterDevice,
        TarEntryType.BlockDevice => EntryKind.BlockDevice,
        _ => EntryKind.Fifo,
    };

    private static EntryRecord RecordOf(TarEntry entry, EntryKind kind)
    {
        var isLink = kind == EntryKind.SymbolicLink;
        if (isLink && entry.LinkName.Length >= EntryName.MaxPath)
            throw new LayerException(LayerFault.Path, $"the target of the symbolic link {Printable.Of(entry.Name.Span)} is too long");
        return new EntryRecord(kind, entry.Mode, entry.Uid, entry.Gid, 0, entry.Modified, null, null, entry.DeviceMajor, entry.DeviceMinor, isLink ? entry.LinkName.ToArray() : []);
    }
}
