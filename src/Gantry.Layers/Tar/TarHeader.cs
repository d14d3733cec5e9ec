using System.Buffers.Binary;

namespace Gantry.Layers.Tar;

/// <summary>The fields of one header block, where V7, ustar, GNU and star put them.</summary>
internal readonly ref struct TarHeader(ReadOnlySpan<byte> block)
{
    public const int Size = 512;

    private readonly ReadOnlySpan<byte> _block = block;

    public ReadOnlySpan<byte> Name => Text(0, 100);

    public ReadOnlySpan<byte> Mode => _block.Slice(100, 8);

    public ReadOnlySpan<byte> Uid => _block.Slice(108, 8);

    public ReadOnlySpan<byte> Gid => _block.Slice(116, 8);

    public ReadOnlySpan<byte> ContentSize => _block.Slice(124, 12);

    public ReadOnlySpan<byte> Modified => _block.Slice(136, 12);

    public byte Type => _block[156];

    public ReadOnlySpan<byte> LinkName => Text(157, 100);

    public ReadOnlySpan<byte> DeviceMajor => _block.Slice(329, 8);

    public ReadOnlySpan<byte> DeviceMinor => _block.Slice(337, 8);

    /// <summary>GNU's own format: times and a sparse map lie where ustar has its prefix.</summary>
    public bool IsGnu => _block.Slice(257, 8).SequenceEqual("ustar  \0"u8);

    public bool IsUstar => _block.Slice(257, 6).SequenceEqual("ustar\0"u8);

    public bool HasDevices => IsUstar || IsGnu;

    /// <summary>What stands before the name and a slash; empty for none.</summary>
    public ReadOnlySpan<byte> Prefix
    {
        get
        {
            if (IsUstar) return _block.Slice(508, 4).SequenceEqual("tar\0"u8) ? Text(345, 131) : Text(345, 155);

            // Go before 1.8 wrote a prefix under GNU's magic; where the two times are no numbers, it is one (as Go reads it since).
            var isPrefix = IsGnu && _block[345] != 0
                && !(TarNumber.TryParseField(_block.Slice(345, 12), out _) && TarNumber.TryParseField(_block.Slice(357, 12), out _));
            return isPrefix ? Text(345, 155) : default;
        }
    }

    public bool IsZero => !_block.ContainsAnyExcept((byte)0);

    /// <summary>The sum of all bytes, its own field as spaces. Some writers summed signed bytes.</summary>
    public bool HasValidChecksum
    {
        get
        {
            var own = _block.Slice(148, 8);
            if (!TarNumber.TryParseField(own, out var expected)) return false;
            var ownUnsigned = 0;
            var ownSigned = 0;
            foreach (var part in own) (ownUnsigned, ownSigned) = (ownUnsigned + part, ownSigned + (sbyte)part);
            const int Spaces = 8 * ' ';
            return Sum() - ownUnsigned + Spaces == expected || SignedSum() - ownSigned + Spaces == expected;
        }
    }

    private ReadOnlySpan<byte> Text(int offset, int length)
    {
        var field = _block.Slice(offset, length);
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    private int Sum()
    {
        // Eight bytes at a time, in four lanes of 16 bits; 64 steps of two bytes stay below 65,536.
        const ulong Lanes = 0x00FF00FF00FF00FF;
        var lanes = 0UL;
        for (var offset = 0; offset < Size; offset += sizeof(ulong))
        {
            var part = BinaryPrimitives.ReadUInt64LittleEndian(_block[offset..]);
            lanes += (part & Lanes) + ((part >> 8) & Lanes);
        }

        return (int)((lanes & 0xFFFF) + ((lanes >> 16) & 0xFFFF) + ((lanes >> 32) & 0xFFFF) + (lanes >> 48));
    }

    private int SignedSum()
    {
        var sum = 0;
        foreach (var part in _block) sum += (sbyte)part;
        return sum;
    }
}
