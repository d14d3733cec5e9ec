namespace Gantry.Layers.Tar;

/// <summary>From a header and what precedes it to an entry.</summary>
public sealed partial class TarReader
{
    // One less than the id that chown takes as "leave it alone".
    private const long MaxId = uint.MaxValue - 1L;

    private void ReadEntry()
    {
        // 1. The header is copied: the entry's names point into it while the input moves on.
        _input.Peek(TarHeader.Size).CopyTo(_header);
        _input.Take(TarHeader.Size);
        var header = new TarHeader(_header);

        // 2. Names first, for the type may hang on one.
        _entry.Name = _meta.Name ?? NameOf(header);
        _entry.Type = TypeOf(header.Type, _entry.Name.Span);
        var isLink = _entry.Type is TarEntryType.HardLink or TarEntryType.SymbolicLink;
        _entry.LinkName = isLink ? _meta.LinkName ?? _header.AsMemory(157, header.LinkName.Length) : default;
        if (isLink && _entry.LinkName.IsEmpty) throw Bad("a link without a target");

        // 3. Metadata: a record wins over the header's field, which then may hold anything.
        var mode = TarNumber.TryParseField(header.Mode, out var bits) ? bits : throw Bad("the mode is no number");
        _entry.Mode = (uint)mode & 0xFFF;
        _entry.Uid = IdOf(_meta.Uid, header.Uid, "the uid");
        _entry.Gid = IdOf(_meta.Gid, header.Gid, "the gid");
        _entry.Modified = _meta.Modified ?? TimeOf(header);
        _entry.Attributes = _meta.Attributes;
        var hasDevice = header.HasDevices && _entry.Type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice;
        _entry.DeviceMajor = hasDevice ? (uint)Number(header.DeviceMajor, "the device", uint.MaxValue) : 0;
        _entry.DeviceMinor = hasDevice ? (uint)Number(header.DeviceMinor, "the device", uint.MaxValue) : 0;

        // 4. Content. Only files have any, whatever the size field of a link or directory says.
        if (_entry.Type == TarEntryType.RegularFile) StartContent(header);
        else if (_meta.IsSparse) throw Bad("sparse and not a file");
        else _entry.Size = 0;
    }

    private ReadOnlyMemory<byte> NameOf(TarHeader header)
    {
        var prefix = header.Prefix;
        var name = header.Name;
        if (prefix.IsEmpty) return _header.AsMemory(0, name.Length);
        prefix.CopyTo(_prefixedName);
        _prefixedName[prefix.Length] = (byte)'/';
        name.CopyTo(_prefixedName.AsSpan(prefix.Length + 1));
        return _prefixedName.AsMemory(0, prefix.Length + 1 + name.Length);
    }

    private TarEntryType TypeOf(byte type, ReadOnlySpan<byte> name) => type switch
    {
        // V7 has no type for directories.
        0 => name.EndsWith("/"u8) ? TarEntryType.Directory : TarEntryType.RegularFile,
        (byte)'0' or (byte)'7' or (byte)'S' => TarEntryType.RegularFile,
        (byte)'1' => TarEntryType.HardLink,
        (byte)'2' => TarEntryType.SymbolicLink,
        (byte)'3' => TarEntryType.CharacterDevice,
        (byte)'4' => TarEntryType.BlockDevice,
        (byte)'5' => TarEntryType.Directory,
        (byte)'6' => TarEntryType.Fifo,
        _ => throw Bad($"{Printable.Of(name)} is of the unknown type '{Printable.Of([type])}'", LayerFault.EntryType),
    };

    private TarTime TimeOf(TarHeader header) =>
        TarNumber.TryParseField(header.Modified, out var seconds) ? new TarTime(seconds, 0) : throw Bad("the time is no number");

    private uint IdOf(long? record, ReadOnlySpan<byte> field, string what)
    {
        var id = record ?? Number(field, what, MaxId);
        return id <= MaxId ? (uint)id : throw Bad($"{what} is too large");
    }

    private long Number(ReadOnlySpan<byte> field, string what, long max)
    {
        if (!TarNumber.TryParseField(field, out var value)) throw Bad($"{what} is no number");
        return value >= 0 && value <= max ? value : throw Bad($"{what} is out of range");
    }
}
