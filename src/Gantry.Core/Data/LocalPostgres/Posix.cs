using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Core.Data;

/// <summary>The few system calls the base library has no door to: owners, signals, durable renames.</summary>
internal static partial class Posix
{
    internal const int Sigint = 2, Sigquit = 3, Sigkill = 9;

    private const int AtFdcwd = -100, AtSymlinkNoFollow = 0x100;
    private const uint StatxBasic = 0x7ff;

    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct FileIdentity(uint UserId, uint GroupId, ulong Inode, ulong Device);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "getegid")]
    internal static partial uint EffectiveGroupId();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Lchown(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle descriptor);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* result);

    /// <summary>Sends a signal; a negative <paramref name="pid"/> means a process group. False: it is gone.</summary>
    internal static bool Signal(int pid, int signal) => Kill(pid, signal) == 0;

    internal static void ChangeOwner(string path, uint user, uint group)
    {
        if (Lchown(path, user, group) != 0) throw Failure($"cannot give {path} to user id {user}");
    }

    /// <summary>Who owns a path and which file it is; null where nothing can be seen there.</summary>
    internal static unsafe FileIdentity? Identify(string path, bool follow = true)
    {
        // statx, unlike stat, has one layout on every architecture.
        var buffer = stackalloc byte[256];
        if (Statx(AtFdcwd, path, follow ? 0 : AtSymlinkNoFollow, StatxBasic, buffer) != 0) return null;
        var major = *(uint*)(buffer + 136);
        var minor = *(uint*)(buffer + 140);
        return new FileIdentity(*(uint*)(buffer + 20), *(uint*)(buffer + 24), *(ulong*)(buffer + 32),
            ((ulong)major << 32) | minor);
    }

    /// <summary>Makes the names in a folder (or the bytes of a file) survive a power cut.</summary>
    internal static void FlushToDisk(string path)
    {
        using var handle = OpenForReading(path);
        if (Fsync(handle) != 0) throw Failure($"cannot flush {path}");
    }

    /// <summary>Opens a file or a folder, and takes no lock on it.</summary>
    internal static SafeFileHandle OpenForReading(string path)
    {
        const int readOnlyCloseOnExec = 0x80000;
        var handle = Open(path, readOnlyCloseOnExec);
        return handle.IsInvalid ? throw Failure($"cannot open {path}") : handle;
    }

    /// <summary>Bytes of a path as the kernel counts them.</summary>
    internal static int ByteLength(string path) => Encoding.UTF8.GetByteCount(path);

    private static IOException Failure(string what) =>
        new($"{what}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
}
