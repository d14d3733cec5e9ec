using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Gantry.TestKit.Tar;

/// <summary>
/// One header block. It starts as a ustar file of mode 0644 and owner 0 whose time is 0; fields are set one by one, as numbers or as any bytes, and the
/// checksum is right unless a test says otherwise.
/// </summary>
public sealed class TarHeaderBytes
{
    private readonly byte[] _block = new byte[512];
    private byte[]? _checksum;

    public TarHeaderBytes() => Mode(0b110_100_100).Uid(0).Gid(0).Size(0).Modified(0).Ustar();

    /// <summary>The checksum right, or as <see cref="Checksum"/> has set it.</summary>
    public byte[] ToArray()
    {
        var block = (byte[])_block.Clone();
        var field = block.AsSpan(148, 8);
        field.Fill((byte)' ');
        (_checksum ?? Encoding.ASCII.GetBytes($"{Octal(block.Sum(part => part), 6)}\0 ")).CopyTo(field);
        return block;
    }

    /// <summary>Any bytes at any place.</summary>
    public TarHeaderBytes At(int offset, FieldBytes bytes)
    {
        bytes.Span.CopyTo(_block.AsSpan(offset));
        return this;
    }

    public TarHeaderBytes Name(FieldBytes name) => Field(0, 100, name);

    public TarHeaderBytes Mode(long mode) => Number(100, 8, mode);

    public TarHeaderBytes Uid(long uid) => Number(108, 8, uid);

    public TarHeaderBytes Gid(long gid) => Number(116, 8, gid);

    public TarHeaderBytes Size(long size) => Number(124, 12, size);

    public TarHeaderBytes Modified(long seconds) => Number(136, 12, seconds);

    public TarHeaderBytes Type(char type) => At(156, (byte[])[(byte)type]);

    public TarHeaderBytes LinkName(FieldBytes target) => Field(157, 100, target);

    public TarHeaderBytes Device(long major, long minor) => Number(329, 8, major).Number(337, 8, minor);

    public TarHeaderBytes Prefix(FieldBytes prefix) => Field(345, 155, prefix);

    /// <summary>The format's magic and version.</summary>
    public TarHeaderBytes Ustar() => At(257, "ustar\000");

    public TarHeaderBytes Gnu() => At(257, "ustar  \0");

    public TarHeaderBytes V7() => At(257, new byte[8]);

    /// <summary>A checksum of the test's own, wrong or spelt otherwise.</summary>
    public TarHeaderBytes Checksum(FieldBytes bytes)
    {
        _checksum = bytes.Span.ToArray();
        return this;
    }

    /// <summary>The sum of signed bytes that some old writers made.</summary>
    public TarHeaderBytes SignedChecksum()
    {
        var block = (byte[])_block.Clone();
        block.AsSpan(148, 8).Fill((byte)' ');
        return Checksum($"{Octal(block.Sum(part => (sbyte)part), 6)}\0 ");
    }

    /// <summary>Octal with a NUL at the end where the number fits, GNU's base 256 where it does not.</summary>
    public TarHeaderBytes Number(int offset, int width, long value) =>
        value >= 0 && Octal(value, 0).Length < width ? Field(offset, width, Octal(value, width - 1)) : Base256(offset, width, value);

    public TarHeaderBytes Base256(int offset, int width, long value)
    {
        Span<byte> wide = stackalloc byte[16];
        BinaryPrimitives.WriteInt128BigEndian(wide, value);
        wide[^width..].CopyTo(_block.AsSpan(offset));
        _block[offset] |= 0x80;
        return this;
    }

    /// <summary>A GNU sparse header's pair; <paramref name="index"/> 0 to 3.</summary>
    public TarHeaderBytes OldSparsePair(int index, long offset, long length) => Number(386 + (24 * index), 12, offset).Number(398 + (24 * index), 12, length);

    private TarHeaderBytes Field(int offset, int width, FieldBytes bytes)
    {
        var field = _block.AsSpan(offset, width);
        field.Clear();
        bytes.Span.CopyTo(field);
        return this;
    }

    private static string Octal(long value, int digits) => Convert.ToString(value, 8).PadLeft(digits, '0').ToString(CultureInfo.InvariantCulture);
}
