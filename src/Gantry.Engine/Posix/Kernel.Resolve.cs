namespace Gantry.Engine.Posix;

/// <summary>
/// Opening a directory below another by a path of several components. The kernel itself refuses to leave the root: openat2 with RESOLVE_BENEATH and
/// RESOLVE_NO_SYMLINKS. Where openat2 is missing or filtered away, each component is opened alone with O_NOFOLLOW. Whether openat2 is there is asked at each
/// call: a filter may be installed at any time.
/// </summary>
internal static unsafe partial class Kernel
{
    /// <summary>This thread goes on as where openat2 is filtered away. For tests, on a machine that has it.</summary>
    [ThreadStatic]
    internal static bool IsWithoutOpenat2;

    private const ulong NoMagicLinks = 2, NoSymlinks = 4, Beneath = 8;
    private const int HowSize = 24, MaxTries = 64;

    /// <summary>
    /// Opens the directory at <paramref name="path"/>, relative, of real components: no "..", no symbolic link anywhere. <see cref="Errno.Loop"/> or
    /// <see cref="Errno.NotDirectory"/> where one is in the way.
    /// </summary>
    public static int OpenDirectoryBeneath(int root, ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty) return Open(root, "."u8, Directory);
        var result = IsWithoutOpenat2 ? -Errno.NoSystemCall : OpenBeneath2(root, path);
        return result is -Errno.NoSystemCall or -Errno.NotPermitted ? OpenByComponent(root, path) : result;
    }

    private static int OpenBeneath2(int root, ReadOnlySpan<byte> path)
    {
        if (path.Length >= MaxPath) return -Errno.NameTooLong;
        var name = stackalloc byte[path.Length + 1];
        Terminate(path, name);
        var how = stackalloc ulong[3];
        how[0] = (ulong)(Directory | NoFollow | CloseOnExec);
        how[1] = 0;
        how[2] = Beneath | NoSymlinks | NoMagicLinks;

        // EAGAIN: something was renamed anywhere on the machine, and the kernel could not be sure. Rare, and over at once; the other way is safe too.
        for (var tries = 0; tries < MaxTries; tries++)
        {
            var descriptor = (int)Libc.SystemCall(Libc.OpenAt2, root, (long)name, (long)how, HowSize);
            if (descriptor >= 0) return descriptor;
            if (Error() is var error && error is not (Errno.Interrupted or Errno.TryAgain)) return -error;
        }

        return -Errno.NoSystemCall;
    }

    internal static int OpenByComponent(int root, ReadOnlySpan<byte> path)
    {
        var current = Descriptor.None;
        foreach (var range in path.Split((byte)'/'))
        {
            var component = path[range];
            if (component.SequenceEqual(".."u8)) { current.Dispose(); return -Errno.CrossDevice; }
            var next = Open(current.IsOpen ? current.Number : root, component, Directory);
            current.Dispose();
            if (next < 0) return next;
            current = new Descriptor(next);
        }

        return current.Number;
    }
}
