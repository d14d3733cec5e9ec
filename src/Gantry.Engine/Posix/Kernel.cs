using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gantry.Engine.Posix;

/// <summary>
/// System calls on descriptors and byte names. A result below zero is the negated error number: the callers that expect an error look at it without the cost of
/// an exception, the others hand it to <see cref="PosixFault.Check(int, string, ReadOnlySpan{byte})"/>. A call that a signal interrupts is made again. No call
/// follows a symbolic link in the last component of its name, and none opens a device or waits for a pipe's other end.
/// </summary>
[SkipLocalsInit]
internal static unsafe partial class Kernel
{
    public const int ReadOnly = 0, WriteOnly = 1, Create = 0x40, Exclusive = 0x80, NonBlocking = 0x800;
    public const int PathOnly = 0x200000;
    public const int CurrentDirectory = -100;

    // Two flags that Linux numbers differently on arm64.
    public static readonly int Directory = IsArm ? 0x4000 : 0x10000;
    public static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    private const int CloseOnExec = 0x80000;
    private const int SymlinkNoFollow = 0x100, RemoveDirectoryFlag = 0x200, EmptyPath = 0x1000;
    private const uint BasicStatus = 0x7FF;

    // A path of PATH_MAX and its NUL; anything longer is refused before the kernel sees it.
    private const int MaxPath = 4097;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static int Open(int directory, ReadOnlySpan<byte> name, int flags, uint mode = 0)
    {
        if (name.Length >= MaxPath) return -Errno.NameTooLong;
        var path = stackalloc byte[name.Length + 1];
        Terminate(name, path);
        while (true)
        {
            var descriptor = Libc.OpenAt(directory, path, flags | NoFollow | CloseOnExec, mode);
            if (descriptor >= 0) return descriptor;
            if (Error() is var error && error != Errno.Interrupted) return -error;
        }
    }

    /// <summary>A path of the machine's own, given by the caller of the engine: symbolic links on the way are the operator's and followed.</summary>
    public static int OpenDirectory(string path)
    {
        fixed (byte* bytes = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
        {
            while (true)
            {
                var descriptor = Libc.OpenAt(CurrentDirectory, bytes, Directory | CloseOnExec, 0);
                if (descriptor >= 0) return descriptor;
                if (Error() is var error && error != Errno.Interrupted) return -error;
            }
        }
    }

    /// <summary>Never repeated: Linux frees the number whatever close answers.</summary>
    public static void Close(int descriptor)
    {
        var result = Libc.Close(descriptor);
        Debug.Assert(result == 0 || Error() is not 9, "closed twice");
    }

    /// <summary>Writes all of it. 0, or the negated error.</summary>
    public static int Write(int descriptor, ReadOnlySpan<byte> bytes, long offset)
    {
        fixed (byte* start = bytes)
        {
            nint done = 0;
            while (done < bytes.Length)
            {
                var written = Libc.PositionalWrite(descriptor, start + done, (nuint)(bytes.Length - done), offset + done);
                if (written >= 0) done += written;
                else if (Error() is var error && error is not (Errno.Interrupted or Errno.TryAgain)) return -error;
            }
        }

        return 0;
    }

    /// <summary>How many bytes were read, 0 at the end.</summary>
    public static int Read(int descriptor, Span<byte> into, long offset)
    {
        fixed (byte* start = into)
        {
            while (true)
            {
                var read = (int)Libc.PositionalRead(descriptor, start, (nuint)into.Length, offset);
                if (read >= 0) return read;
                if (Error() is var error && error is not (Errno.Interrupted or Errno.TryAgain)) return -error;
            }
        }
    }

    /// <summary>Copies within the kernel, sharing blocks where the filesystem can. How many bytes, which may be fewer; what fails is copied otherwise.</summary>
    public static long CopyRange(int from, int to, long offset, long count)
    {
        var (source, target) = (offset, offset);
        return Libc.CopyFileRange(from, &source, to, &target, (nuint)count, 0) is var copied and >= 0 ? copied : -Error();
    }

    public static int Truncate(int descriptor, long length) => Repeat(descriptor, length, static (file, size) => Libc.Truncate(file, size));

    public static int SyncFileSystem(int descriptor) => Repeat(descriptor, 0, static (file, _) => Libc.SyncFileSystem(file));

    private static int Repeat(int descriptor, long argument, Func<int, long, int> call)
    {
        while (call(descriptor, argument) != 0)
        {
            if (Error() is var error && error != Errno.Interrupted) return -error;
        }

        return 0;
    }

    private static int Error() => Marshal.GetLastPInvokeError();

    private static int Result(int result) => result >= 0 ? result : -Error();

    /// <summary>A name with a NUL in it would reach the kernel shortened, as another name.</summary>
    private static void Terminate(ReadOnlySpan<byte> name, byte* into)
    {
        if (name.Contains((byte)0)) throw new ArgumentException("a name with NUL", nameof(name));
        name.CopyTo(new Span<byte>(into, name.Length));
        into[name.Length] = 0;
    }
}
