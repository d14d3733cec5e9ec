using System.Text;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Posix;

/// <summary>Owner, mode, times.</summary>
internal static unsafe partial class Kernel
{
    private const int StatxSize = 256;

    public static int Status(int directory, ReadOnlySpan<byte> name, out FileStatus status)
    {
        status = default;
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        var buffer = stackalloc byte[StatxSize];
        var result = Result(Libc.Statx(directory, path, SymlinkNoFollow | (name.IsEmpty ? EmptyPath : 0), BasicStatus, buffer));
        if (result == 0) status = FileStatus.Of(buffer);
        return result;
    }

    public static int Status(int descriptor, out FileStatus status) => Status(descriptor, default, out status);

    public static int ChangeOwner(int descriptor, uint user, uint group) => ChangeOwner(descriptor, default, user, group);

    public static int ChangeOwner(int directory, ReadOnlySpan<byte> name, uint user, uint group)
    {
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        return Result(Libc.ChangeOwnerAt(directory, path, user, group, SymlinkNoFollow | (name.IsEmpty ? EmptyPath : 0)));
    }

    public static int ChangeMode(int descriptor, uint mode) => Result(Libc.ChangeMode(descriptor, mode));

    /// <summary>
    /// Of a file that must not be opened, a device or a pipe: fchmodat2 (Linux 6.6), before that by way of /proc. Both work where devices cannot be opened
    /// (nodev). A symbolic link has no mode: <see cref="Errno.NotSupported"/>.
    /// </summary>
    public static int ChangeMode(int directory, ReadOnlySpan<byte> name, uint mode)
    {
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        var result = Result((int)Libc.SystemCall(Libc.FchmodAt2, directory, (long)path, mode, SymlinkNoFollow));
        if (result is not (-Errno.NoSystemCall or -Errno.NotPermitted)) return result;

        // A filter that does not know the call answers "not permitted": the other way decides.
        var file = Open(directory, name, PathOnly);
        if (file < 0) return file;
        using var _ = new Descriptor(file);
        fixed (byte* link = Encoding.ASCII.GetBytes($"/proc/self/fd/{file}\0")) return Result(Libc.ChangeModeOfPath(link, mode));
    }

    public static int SetModified(int descriptor, TarTime time)
    {
        var times = stackalloc long[4];
        Fill(times, time);
        return Result(Libc.SetTimes(descriptor, times));
    }

    public static int SetModified(int directory, ReadOnlySpan<byte> name, TarTime time)
    {
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        var times = stackalloc long[4];
        Fill(times, time);
        return Result(Libc.SetTimesAt(directory, path, times, SymlinkNoFollow));
    }

    /// <summary>The time of the last access is the same: the archive has no other. The kernel moves what its filesystem cannot keep to the nearest it can.</summary>
    private static void Fill(long* times, TarTime time)
    {
        times[0] = times[2] = time.Seconds;
        times[1] = times[3] = time.Nanoseconds;
    }
}
