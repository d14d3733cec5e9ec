using System.Buffers;

namespace Gantry.Core.Look.Listings;

/// <summary>Whole numbers, seven bits a byte, the lowest first.</summary>
internal static class Varint
{
    public static void Write(ArrayBufferWriter<byte> to, ulong value)
    {
        var span = to.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7) span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        to.Advance(length);
    }

    public static void WriteSigned(ArrayBufferWriter<byte> to, long value) => Write(to, (ulong)((value << 1) ^ (value >> 63)));

    public static void WriteBytes(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> bytes)
    {
        Write(to, (ulong)bytes.Length);
        to.Write(bytes);
    }

    public static ulong Read(ref ReadOnlySpan<byte> from)
    {
        var value = 0UL;
        for (var index = 0; ; index++)
        {
            value |= (ulong)(from[index] & 0x7F) << (7 * index);
            if (from[index] >= 0x80) continue;
            from = from[(index + 1)..];
            return value;
        }
    }

    public static long ReadSigned(ref ReadOnlySpan<byte> from)
    {
        var value = Read(ref from);
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public static ReadOnlySpan<byte> ReadBytes(ref ReadOnlySpan<byte> from)
    {
        var length = (int)Read(ref from);
        var bytes = from[..length];
        from = from[length..];
        return bytes;
    }
}
