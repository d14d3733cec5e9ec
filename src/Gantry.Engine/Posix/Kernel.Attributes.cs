using System.Text;

namespace Gantry.Engine.Posix;

/// <summary>
/// Extended attributes. By descriptor where the file is open; by name through the parent's /proc/self/fd link where it must not be opened: a symbolic link, a
/// device. Neither follows the last component.
/// </summary>
internal static unsafe partial class Kernel
{
    public const int MaxAttributeValue = 65536, MaxAttributeName = 255, MaxAttributeList = 65536;

    public static int SetAttribute(int descriptor, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.Length > MaxAttributeName) return -Errno.Range;
        var key = stackalloc byte[name.Length + 1];
        Terminate(name, key);
        fixed (byte* bytes = value) return Result(Libc.SetAttribute(descriptor, key, bytes, (nuint)value.Length, 0));
    }

    public static int SetAttribute(int directory, ReadOnlySpan<byte> file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.Length > MaxAttributeName) return -Errno.Range;
        var key = stackalloc byte[name.Length + 1];
        Terminate(name, key);
        fixed (byte* path = ThroughProc(directory, file), bytes = value)
            return Result(Libc.SetAttributeOfPath(path, key, bytes, (nuint)value.Length, 0));
    }

    /// <summary>The value's length, or the negated error; <see cref="Errno.NoData"/> where there is none.</summary>
    public static int GetAttribute(int descriptor, ReadOnlySpan<byte> name, Span<byte> into)
    {
        if (name.Length > MaxAttributeName) return -Errno.Range;
        var key = stackalloc byte[name.Length + 1];
        Terminate(name, key);
        fixed (byte* value = into) return Result((int)Libc.GetAttribute(descriptor, key, value, (nuint)into.Length));
    }

    /// <inheritdoc cref="GetAttribute(int, ReadOnlySpan{byte}, Span{byte})"/>
    public static int GetAttribute(int directory, ReadOnlySpan<byte> file, ReadOnlySpan<byte> name, Span<byte> into)
    {
        if (name.Length > MaxAttributeName) return -Errno.Range;
        var key = stackalloc byte[name.Length + 1];
        Terminate(name, key);
        fixed (byte* path = ThroughProc(directory, file), value = into)
            return Result((int)Libc.GetAttributeOfPath(path, key, value, (nuint)into.Length));
    }

    /// <summary>The names, each ended by NUL: their length altogether, or the negated error.</summary>
    public static int ListAttributes(int descriptor, Span<byte> into)
    {
        fixed (byte* list = into) return Result((int)Libc.ListAttributes(descriptor, list, (nuint)into.Length));
    }

    /// <inheritdoc cref="ListAttributes(int, Span{byte})"/>
    public static int ListAttributes(int directory, ReadOnlySpan<byte> file, Span<byte> into)
    {
        fixed (byte* path = ThroughProc(directory, file), list = into)
            return Result((int)Libc.ListAttributesOfPath(path, list, (nuint)into.Length));
    }

    public static int RemoveAttribute(int descriptor, ReadOnlySpan<byte> name)
    {
        var key = stackalloc byte[name.Length + 1];
        Terminate(name, key);
        return Result(Libc.RemoveAttribute(descriptor, key));
    }

    private static byte[] ThroughProc(int directory, ReadOnlySpan<byte> file) => [.. Encoding.ASCII.GetBytes($"/proc/self/fd/{directory}/"), .. file, 0];
}
