using System.Runtime.InteropServices;
using Gantry.Layers.Compression;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Content;

/// <summary>
/// Windows of zstd layers. A few of the usual size are plain memory; what goes beyond that lies in files without a name, mapped. Their pages
/// leave the process each time the window rests: they are then the kernel's cache, which it writes out where memory is wanted elsewhere. So a layer that asks for
/// 128 MiB gets them, and the process stays as small as with any other.
/// </summary>
/// <remarks>
/// Resident: <paramref name="limit"/>, and of each mapped window what half a MiB of output reaches back to. A frame made to reach everywhere at once brings in all of its window
/// for the moment of one block; no encoder makes such.
/// </remarks>
internal sealed partial class WindowFiles(string folder, long limit = WindowFiles.DefaultLimit) : IWindowMemory
{
    /// <summary>Four windows of the usual 8 MiB.</summary>
    public const long DefaultLimit = 36L << 20;

    private const int ReadWrite = 3, Shared = 1, Private = 2, Anonymous = 0x20, DontNeed = 4, RandomAccess = 1;

    private readonly HashSet<nint> _files = [];
    private long _inMemory;

    public nint Take(nuint bytes)
    {
        if (Interlocked.Add(ref _inMemory, (long)bytes) <= limit) return Map(bytes, Private | Anonymous, new SafeFileHandle(-1, ownsHandle: false));
        Interlocked.Add(ref _inMemory, -(long)bytes);

        var path = Path.Combine(folder, $"window-{Guid.NewGuid():N}");
        using var file = StoreFile.OpenOrCreate(path);
        File.Delete(path);
        // Room first: a page of a mapped file that the disk has no room for ends the process.
        var error = Allocate(file, 0, (long)bytes);
        if (error != 0) throw new EngineException(EngineFault.Local, $"a zstd layer needs a window of {bytes >> 20} MiB, in {folder}: {Marshal.GetPInvokeErrorMessage(error)}");
        var memory = Map(bytes, Shared, file);
        lock (_files) _files.Add(memory);
        return memory;
    }

    public void GiveBack(nint memory, nuint bytes)
    {
        lock (_files)
        {
            if (!_files.Remove(memory)) Interlocked.Add(ref _inMemory, -(long)bytes);
        }

        _ = Unmap(memory, bytes);
    }

    public void Rest(nint memory, nuint bytes)
    {
        lock (_files)
        {
            if (!_files.Contains(memory)) return;
        }

        _ = Advise(memory, bytes, DontNeed);
    }

    private static nint Map(nuint bytes, int kind, SafeFileHandle file)
    {
        var memory = MapAt(0, bytes, ReadWrite, kind, file, 0);
        if (memory == -1) throw new EngineException(EngineFault.Local, $"a zstd layer needs a window of {bytes >> 20} MiB: {Marshal.GetLastPInvokeErrorMessage()}");
        if (kind == Shared) _ = Advise(memory, bytes, RandomAccess);
        return memory;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapAt(nint address, nuint length, int protection, int flags, SafeFileHandle file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    /// <summary>Answers with the error itself.</summary>
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int Allocate(SafeFileHandle file, long offset, long length);
}
