using System.Buffers.Binary;
using System.IO.Compression;

namespace Gantry.Layers.Tests.Compression;

/// <summary>gzip members put together by hand (RFC 1952); the framework compresses and sums.</summary>
internal static class Gzip
{
    public const byte HeaderCrc = 2;
    public const byte Extra = 4;
    public const byte Name = 8;
    public const byte Comment = 16;

    public static byte[] Member(byte[] content, byte flags = 0, byte[]? fields = null)
    {
        var whole = Plain(content);
        byte[] header = [0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 255, .. fields ?? []];
        byte[] sum = (flags & HeaderCrc) != 0 ? Crc(header)[..2] : [];
        return [.. header, .. sum, .. whole[10..]];
    }

    /// <summary>Low bytes first, as everything in gzip.</summary>
    public static byte[] Crc(byte[] bytes) => Plain(bytes)[^8..^4];

    public static byte[] ExtraField(int length)
    {
        var field = new byte[2 + length];
        BinaryPrimitives.WriteUInt16LittleEndian(field, (ushort)length);
        return field;
    }

    private static byte[] Plain(byte[] content)
    {
        var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(content);

            // The framework writes nothing at all where nothing was written to it.
            gzip.Flush();
        }

        return target.Length > 0 ? target.ToArray() : [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    }
}
