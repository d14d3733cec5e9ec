using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Storage.FileSystem;

/// <summary>
/// The few system calls .NET does not offer as we need them: opening without its implicit shared lock (a reader would be
/// refused while a committer still holds the file), an exclusive lock whose failures are never ignored, and fsync of a
/// directory. Flag values are those Linux shares between x64 and arm64.
/// </summary>
internal static partial class PosixFile
{
    private const int ReadOnly = 0, ReadWrite = 2, Create = 0x40, Exclusive = 0x80, CloseOnExec = 0x80000;
    private const int LockExclusive = 2, LockNonBlocking = 4, Unlock = 8;
    private const int StartWriteback = 2, AdviseSequential = 2;
    private const int NoEntry = 2, Interrupted = 4, WouldBlock = 11, NoSpace = 28, QuotaExceeded = 122;
    private const int OwnerWritesGroupReads = 0x1A0; // 0640

    /// <summary>Null where there is no such file.</summary>
    public static SafeFileHandle? OpenForReading(string path) => Open(path, ReadOnly);

    /// <inheritdoc cref="OpenForReading"/>
    public static SafeFileHandle? OpenForWriting(string path) => Open(path, ReadWrite);

    /// <summary>Makes a file that must not exist.</summary>
    public static SafeFileHandle CreateNew(string path) =>
        Open(path, ReadWrite | Create | Exclusive) ?? throw Fault(NoEntry, "create", path);

    /// <summary>False where another open file has the lock. It ends with <see cref="CloseLocked"/>, or the process.</summary>
    public static bool TryLock(SafeFileHandle file, string path)
    {
        while (FLock(file, LockExclusive | LockNonBlocking) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock) return false;
            if (error != Interrupted) throw Fault(error, "lock", path);
        }

        return true;
    }

    /// <summary>
    /// Unlocks before it closes: a process just being started holds a copy of every handle until its exec, and with it
    /// the lock.
    /// </summary>
    public static void CloseLocked(SafeFileHandle file)
    {
        if (!file.IsClosed) _ = FLock(file, Unlock);
        file.Dispose();
    }

    public static void Sync(SafeFileHandle file, string path)
    {
        while (FSync(file) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted) throw Fault(error, "fsync", path);
        }
    }

    /// <summary>Makes the names in a directory durable.</summary>
    public static void SyncDirectory(string path)
    {
        using var directory = OpenForReading(path) ?? throw Fault(NoEntry, "open", path);
        Sync(directory, path);
    }

    /// <summary>False where there is nothing at <paramref name="from"/>.</summary>
    public static bool TryRename(string from, string to)
    {
        if (Rename(from, to) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        if (error != NoEntry) throw Fault(error, "rename", from);
        RequireFolderOf(from);
        return false;
    }

    /// <summary>Removing what is not there succeeds.</summary>
    public static void Remove(string path)
    {
        if (Unlink(path) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error != NoEntry) throw Fault(error, "unlink", path);
        RequireFolderOf(path);
    }

    /// <summary>Unlike <see cref="File.Exists"/>, a failing disk is a fault and not an absence.</summary>
    public static bool Exists(string path)
    {
        if (Access(path, 0) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error == NoEntry ? false : throw Fault(error, "access", path);
    }

    /// <summary>Asks the kernel to start writing a range to disk. A hint: durability is fsync's alone.</summary>
    public static void BeginWriteback(SafeFileHandle file, long offset, long count) =>
        _ = SyncFileRange(file, offset, count, StartWriteback);

    /// <summary>Doubles the kernel's read-ahead. A hint.</summary>
    public static void ExpectSequentialReads(SafeFileHandle file) => _ = Advise(file, 0, 0, AdviseSequential);

    /// <summary>True for the errors that mean "no room", whoever raised them: .NET keeps errno in HResult.</summary>
    public static bool MeansFull(IOException fault) => fault.HResult is NoSpace or QuotaExceeded;

    private static SafeFileHandle? Open(string path, int flags)
    {
        while (true)
        {
            var descriptor = OpenDescriptor(path, flags | CloseOnExec, OwnerWritesGroupReads);
            if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
            var error = Marshal.GetLastPInvokeError();
            if (error == Interrupted) continue;
            if (error != NoEntry || (flags & Create) != 0) throw Fault(error, "open", path);
            RequireFolderOf(path);
            return null;
        }
    }

    /// <summary>
    /// Makes sure that the file alone and not its whole folder is missing: the blobs of a volume that is not mounted are
    /// out of reach, not gone, and nobody may act on their absence.
    /// </summary>
    private static void RequireFolderOf(string path)
    {
        if (!Exists(Path.GetDirectoryName(path)!)) throw Fault(NoEntry, "open (is the volume mounted?)", path);
    }

    private static IOException Fault(int error, string call, string path)
    {
        var fault = new IOException($"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
        return MeansFull(fault) ? new StorageFullException(fault) : fault;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDescriptor(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long count, uint flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long count, int advice);
}
