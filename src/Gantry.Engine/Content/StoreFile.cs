using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Content;

/// <summary>
/// The system calls that the store's promises rest on and .NET does not offer: opening without its implicit lock, flock, fsync of files and folders, syncfs.
/// Paths are the store's own, made of checked names. Flag values are those Linux shares between x64 and arm64.
/// </summary>
internal static partial class StoreFile
{
    private const int ReadOnly = 0, ReadWrite = 2, Create = 0x40, CloseOnExec = 0x80000;
    private const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4, Unlock = 8;
    private const int NoEntry = 2, Interrupted = 4, WouldBlock = 11, Exists = 17, NotEmpty = 39;
    private const int StartWriteback = 2;
    private const int OwnerOnly = 0x180; // 0600
    private const int WorkingDirectory = -100, EmptyPath = 0x1000, NoFollow = 0x100;

    /// <summary>Null where there is no such file.</summary>
    public static SafeFileHandle? OpenForReading(string path) => Open(path, ReadOnly);

    /// <summary>Makes the file where it is missing.</summary>
    public static SafeFileHandle OpenOrCreate(string path) => Open(path, ReadWrite | Create) ?? throw Fault(NoEntry, "create", path);

    /// <summary>False where another open file has the lock; only asked without <paramref name="wait"/>.</summary>
    public static bool Lock(SafeFileHandle file, bool shared, bool wait)
    {
        while (FLock(file, (shared ? LockShared : LockExclusive) | (wait ? 0 : LockNonBlocking)) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock) return false;
            if (error != Interrupted) throw Fault(error, "lock", "a file of the store");
        }

        return true;
    }

    /// <summary>Unlocks before it closes: a process just being started holds a copy of every handle until its exec, and with it the lock.</summary>
    public static void CloseLocked(SafeFileHandle file)
    {
        if (!file.IsClosed) _ = FLock(file, Unlock);
        file.Dispose();
    }

    /// <summary>Whether the name still leads to this very file, not to none or to a later one.</summary>
    public static unsafe bool IsAt(SafeFileHandle file, string path)
    {
        Stat opened, named;
        if (StatAt((int)file.DangerousGetHandle(), "", EmptyPath, InodeOnly, &opened) != 0) throw Fault(Marshal.GetLastPInvokeError(), "stat", path);
        if (StatAt(WorkingDirectory, path, NoFollow, InodeOnly, &named) == 0)
            return (opened.Inode, opened.DeviceMajor, opened.DeviceMinor) == (named.Inode, named.DeviceMajor, named.DeviceMinor);
        return Marshal.GetLastPInvokeError() is var error and not NoEntry ? throw Fault(error, "stat", path) : false;
    }

    public static void Sync(SafeFileHandle file, string path)
    {
        while (FSync(file) != 0)
        {
            if (Marshal.GetLastPInvokeError() is var error and not Interrupted) throw Fault(error, "fsync", path);
        }
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncFolder(string path)
    {
        using var folder = OpenForReading(path) ?? throw Fault(NoEntry, "open", path);
        Sync(folder, path);
    }

    /// <summary>Makes durable whatever was written to the file system that the folder is on.</summary>
    public static void SyncFileSystem(string folder)
    {
        using var handle = OpenForReading(folder) ?? throw Fault(NoEntry, "open", folder);
        if (SyncFs(handle) != 0) throw Fault(Marshal.GetLastPInvokeError(), "syncfs", folder);
    }

    /// <summary>Asks the kernel to start writing a range to disk, so that the fsync at the end finds little to do. A hint.</summary>
    public static void BeginWriteback(SafeFileHandle file, long offset, long count) => _ = SyncFileRange(file, offset, count, StartWriteback);

    /// <summary>Replaces what is at <paramref name="to"/>, but for a folder that holds something: then false.</summary>
    public static bool TryRename(string from, string to)
    {
        if (RenameTo(from, to) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error is Exists or NotEmpty ? false : throw Fault(error, "rename", from);
    }

    public static void Rename(string from, string to)
    {
        if (RenameTo(from, to) != 0) throw Fault(Marshal.GetLastPInvokeError(), "rename", from);
    }

    private static SafeFileHandle? Open(string path, int flags)
    {
        while (true)
        {
            var descriptor = OpenDescriptor(path, flags | CloseOnExec, OwnerOnly);
            if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
            var error = Marshal.GetLastPInvokeError();
            if (error == Interrupted) continue;
            return error == NoEntry ? null : throw Fault(error, "open", path);
        }
    }

    private static EngineException Fault(int error, string call, string path) =>
        new(EngineFault.Local, $"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}");

    private const uint InodeOnly = 0x100;

    /// <summary>The kernel's struct statx, the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Stat
    {
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDescriptor(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatAt(int folder, string path, int flags, uint mask, Stat* result);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameTo(string from, string to);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long count, uint flags);
}
