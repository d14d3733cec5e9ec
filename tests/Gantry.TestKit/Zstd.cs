using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Gantry.TestKit;

/// <summary>zstd frames: by hand (RFC 8878) where they are odd, by libzstd where they are whole.</summary>
public static partial class Zstd
{
    public static readonly byte[] Magic = [0x28, 0xB5, 0x2F, 0xFD];

    /// <summary>A command that runs another one on a machine without libzstd: the library is hidden from that process by a mount of its own. Needs root.</summary>
    public static string[] Without(params string[] command)
    {
        NativeLibrary.Load("libzstd.so.1");
        var library = File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..]).First(path => path.Contains("/libzstd.so.1", StringComparison.Ordinal));
        return ["unshare", "--mount", "sh", "-c", "mount --bind /dev/null \"$0\" && exec \"$@\"", library, .. command];
    }

    public static unsafe byte[] Compress(byte[] content, int level = 3)
    {
        var target = new byte[content.Length + (content.Length / 128) + 1024];
        fixed (byte* to = target)
        fixed (byte* from = content)
        {
            return target[..(int)ZSTD_compress(to, (nuint)target.Length, from, (nuint)content.Length, level)];
        }
    }

    /// <summary>As <c>zstd --long=27</c>: a window of 128 MiB, and matches anywhere in it.</summary>
    public static unsafe byte[] CompressLong(byte[] content)
    {
        const int level = 100, windowLog = 101, longDistance = 160;
        var context = ZSTD_createCCtx();
        _ = ZSTD_CCtx_setParameter(context, level, 1);
        _ = ZSTD_CCtx_setParameter(context, windowLog, 27);
        _ = ZSTD_CCtx_setParameter(context, longDistance, 1);
        var target = new byte[content.Length + (content.Length / 128) + 1024];
        fixed (byte* to = target)
        fixed (byte* from = content)
        {
            var length = (int)ZSTD_compress2(context, to, (nuint)target.Length, from, (nuint)content.Length);
            _ = ZSTD_freeCCtx(context);
            return target[..length];
        }
    }

    /// <summary>A frame with a window of 2^<paramref name="windowLog"/> and blocks given as they are.</summary>
    public static byte[] Frame(int windowLog, params byte[][] blocks) => [.. Magic, 0, (byte)((windowLog - 10) << 3), .. blocks.SelectMany(block => block)];

    public static byte[] RawBlock(byte[] content, bool isLast) => [.. BlockHeader(content.Length, 0, isLast), .. content];

    /// <summary>One byte, many times.</summary>
    public static byte[] RunBlock(byte part, int count, bool isLast) => [.. BlockHeader(count, 1, isLast), part];

    public static byte[] Skippable(byte[] content, int kind = 0)
    {
        var frame = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, 0x184D2A50 + (uint)kind);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), content.Length);
        return [.. frame, .. content];
    }

    private static byte[] BlockHeader(int size, int type, bool isLast)
    {
        var header = (size << 3) | (type << 1) | (isLast ? 1 : 0);
        return [(byte)header, (byte)(header >> 8), (byte)(header >> 16)];
    }

    [LibraryImport("libzstd.so.1")]
    private static partial nint ZSTD_createCCtx();

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_freeCCtx(nint context);

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_CCtx_setParameter(nint context, int parameter, int value);

    [LibraryImport("libzstd.so.1")]
    private static unsafe partial nuint ZSTD_compress2(nint context, byte* target, nuint targetSize, byte* source, nuint sourceSize);

    [LibraryImport("libzstd.so.1")]
    private static unsafe partial nuint ZSTD_compress(byte* target, nuint targetSize, byte* source, nuint sourceSize, int level);
}
