using System.Buffers;
using System.Buffers.Binary;
using Gantry.Layers.Tar;

namespace Gantry.Core.Look.Listings;

/// <summary>What an entry is, without its name. The same bytes in memory, while a layer is read, and in its pages.</summary>
/// <param name="Offset">Where in the decompressed layer its content starts; null for a sparse file, and for what has none.</param>
/// <param name="Check">The first half of its content's SHA-256; null for a sparse file, and for what has none.</param>
/// <param name="Target">Of a symbolic link, at most <see cref="Gantry.Layers.EntryName.MaxPath"/> bytes.</param>
internal readonly record struct EntryRecord(
    EntryKind Kind, uint Mode, uint Uid, uint Gid, long Size, TarTime Modified, long? Offset, UInt128? Check, uint DeviceMajor, uint DeviceMinor, byte[] Target)
{
    private const int HasOffset = 0x10, HasCheck = 0x20;

    /// <summary>Of a directory without an entry, as unpacking makes it.</summary>
    public static EntryRecord ImpliedDirectory { get; } = new(EntryKind.Directory, 0b111_101_101, 0, 0, 0, default, null, null, 0, 0, []);

    public static EntryRecord Bare(EntryKind kind) => ImpliedDirectory with { Kind = kind, Mode = 0 };

    public void Write(ArrayBufferWriter<byte> to)
    {
        to.Write([(byte)((int)Kind | (Offset is null ? 0 : HasOffset) | (Check is null ? 0 : HasCheck))]);
        Varint.Write(to, Mode);
        Varint.Write(to, Uid);
        Varint.Write(to, Gid);
        Varint.Write(to, (ulong)Size);
        Varint.WriteSigned(to, Modified.Seconds);
        Varint.Write(to, (uint)Modified.Nanoseconds);
        if (Offset is { } offset) Varint.Write(to, (ulong)offset);
        if (Check is { } check)
        {
            BinaryPrimitives.WriteUInt128BigEndian(to.GetSpan(16), check);
            to.Advance(16);
        }

        if (Kind is EntryKind.CharacterDevice or EntryKind.BlockDevice)
        {
            Varint.Write(to, DeviceMajor);
            Varint.Write(to, DeviceMinor);
        }

        if (Kind == EntryKind.SymbolicLink) Varint.WriteBytes(to, Target);
    }

    public static EntryRecord Read(ref ReadOnlySpan<byte> from)
    {
        var first = from[0];
        from = from[1..];
        var kind = (EntryKind)(first & 0xF);
        var (mode, uid, gid) = ((uint)Varint.Read(ref from), (uint)Varint.Read(ref from), (uint)Varint.Read(ref from));
        var size = (long)Varint.Read(ref from);
        var modified = new TarTime(Varint.ReadSigned(ref from), (int)Varint.Read(ref from));
        long? offset = (first & HasOffset) == 0 ? null : (long)Varint.Read(ref from);
        UInt128? check = null;
        if ((first & HasCheck) != 0)
        {
            check = BinaryPrimitives.ReadUInt128BigEndian(from);
            from = from[16..];
        }

        var isDevice = kind is EntryKind.CharacterDevice or EntryKind.BlockDevice;
        var (major, minor) = isDevice ? ((uint)Varint.Read(ref from), (uint)Varint.Read(ref from)) : (0u, 0u);
        byte[] target = kind == EntryKind.SymbolicLink ? Varint.ReadBytes(ref from).ToArray() : [];
        return new EntryRecord(kind, mode, uid, gid, size, modified, offset, check, major, minor, target);
    }
}
