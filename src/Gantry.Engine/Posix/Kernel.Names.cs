namespace Gantry.Engine.Posix;

/// <summary>Making, moving and removing names.</summary>
internal static unsafe partial class Kernel
{
    private const uint NoReplace = 1;

    public static int MakeDirectory(int directory, ReadOnlySpan<byte> name, uint mode)
    {
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        return Result(Libc.MakeDirectoryAt(directory, path, mode));
    }

    /// <summary>A device, a pipe; <see cref="DeviceNumber"/> says which device.</summary>
    public static int MakeNode(int directory, ReadOnlySpan<byte> name, FileKind kind, uint mode, ulong device)
    {
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        return Result(Libc.MakeNodeAt(directory, path, (uint)kind | mode, device));
    }

    /// <summary>Null where the kernel has no room for such numbers: 12 bits of major and 20 of minor.</summary>
    public static ulong? DeviceNumber(uint major, uint minor) =>
        major > 0xFFF || minor > 0xFFFFF ? null : ((major & 0xFFF) << 8) | (minor & 0xFF) | ((ulong)(minor & 0xFFFFFF00) << 12);

    public static int MakeSymbolicLink(ReadOnlySpan<byte> target, int directory, ReadOnlySpan<byte> name)
    {
        if (name.Length >= MaxPath || target.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        var to = stackalloc byte[target.Length + 1];
        Terminate(target, to);
        return Result(Libc.SymbolicLinkAt(to, directory, path));
    }

    /// <summary>The target's length, or the negated error; <see cref="Errno.Invalid"/> where the name is no symbolic link.</summary>
    public static int ReadLink(int directory, ReadOnlySpan<byte> name, Span<byte> into)
    {
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        fixed (byte* buffer = into) return Result((int)Libc.ReadLinkAt(directory, path, buffer, (nuint)into.Length));
    }

    /// <summary>Another name for a file, which may be a symbolic link itself.</summary>
    public static int Link(int fromDirectory, ReadOnlySpan<byte> from, int toDirectory, ReadOnlySpan<byte> to)
    {
        if (from.Length >= MaxPath || to.Length >= MaxPath) return -Errno.NameTooLong;
        var source = stackalloc byte[from.Length + 1];
        Terminate(from, source);
        var target = stackalloc byte[to.Length + 1];
        Terminate(to, target);
        return Result(Libc.LinkAt(fromDirectory, source, toDirectory, target, 0));
    }

    public static int Unlink(int directory, ReadOnlySpan<byte> name) => Unlink(directory, name, 0);

    public static int RemoveDirectory(int directory, ReadOnlySpan<byte> name) => Unlink(directory, name, RemoveDirectoryFlag);

    /// <summary>Without <paramref name="replace"/> an existing name is <see cref="Errno.Exists"/>, whatever it is.</summary>
    public static int Rename(int fromDirectory, ReadOnlySpan<byte> from, int toDirectory, ReadOnlySpan<byte> to, bool replace)
    {
        if (from.Length >= MaxPath || to.Length >= MaxPath) return -Errno.NameTooLong;
        var source = stackalloc byte[from.Length + 1];
        Terminate(from, source);
        var target = stackalloc byte[to.Length + 1];
        Terminate(to, target);
        return Result(Libc.RenameAt2(fromDirectory, source, toDirectory, target, replace ? 0 : NoReplace));
    }

    private static int Unlink(int directory, ReadOnlySpan<byte> name, int flags)
    {
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        return Result(Libc.UnlinkAt(directory, path, flags));
    }
}
