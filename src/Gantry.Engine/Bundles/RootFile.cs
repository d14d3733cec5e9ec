using System.Runtime.InteropServices;
using System.Text;
using Gantry.Engine.Posix;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Bundles;

/// <summary>
/// Reads a small file of a root filesystem that strangers made. The kernel resolves its name with that folder as the root (openat2, RESOLVE_IN_ROOT), so no link
/// leads out; only a regular file is read, and opening one never waits.
/// </summary>
internal static unsafe class RootFile
{
    private const ulong InRoot = 0x10, NoMagicLinks = 2;
    private const int HowSize = 24, MaxTries = 64;
    private const int NonBlocking = 0x800, CloseOnExec = 0x80000;

    /// <summary>Null where there is none.</summary>
    /// <exception cref="EngineException">Refused: not a regular file, or links in a circle. TooLarge.</exception>
    public static byte[]? Read(string root, string path, int maxBytes)
    {
        var opened = Kernel.OpenDirectory(root);
        if (opened < 0) throw new EngineException(EngineFault.Local, $"open {root}: {Marshal.GetPInvokeErrorMessage(-opened)}");
        using var folder = new Descriptor(opened);
        var number = Open(folder.Number, path);
        if (number is -Errno.NoEntry or -Errno.NotDirectory) return null;
        if (number is -Errno.Loop) throw new EngineException(EngineFault.Refused, $"{path} of the image is a link that leads nowhere");
        if (number < 0) throw new EngineException(EngineFault.Local, $"open {path} of the image: {Marshal.GetPInvokeErrorMessage(-number)}");

        using var file = new SafeFileHandle(number, ownsHandle: true);
        if (Kernel.Status(number, out var status) < 0 || status.Kind != FileKind.RegularFile)
            throw new EngineException(EngineFault.Refused, $"{path} of the image is not a regular file");
        if (status.Size > maxBytes) throw new EngineException(EngineFault.TooLarge, $"{path} of the image has {status.Size} bytes, the limit is {maxBytes}");
        var content = new byte[status.Size];
        var length = 0;
        while (length < content.Length && RandomAccess.Read(file, content.AsSpan(length), length) is var count and > 0) length += count;
        return content[..length];
    }

    private static int Open(int root, string path)
    {
        var how = stackalloc ulong[3];
        how[0] = NonBlocking | CloseOnExec;
        how[1] = 0;
        how[2] = InRoot | NoMagicLinks;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            for (var tries = 0; tries < MaxTries; tries++)
            {
                var descriptor = (int)Libc.SystemCall(Libc.OpenAt2, root, (long)name, (long)how, HowSize);
                if (descriptor >= 0) return descriptor;
                if (Marshal.GetLastPInvokeError() is var error && error is Errno.NoSystemCall or Errno.NotPermitted) break;
                else if (error is not (Errno.Interrupted or Errno.TryAgain)) return -error;
            }
        }

        return OpenWithoutLinks(root, path);
    }

    /// <summary>Where openat2 is missing or filtered away: no link anywhere is followed, not even one that would stay inside.</summary>
    private static int OpenWithoutLinks(int root, string path)
    {
        var slash = path.LastIndexOf('/');
        var parent = Kernel.OpenDirectoryBeneath(root, Encoding.UTF8.GetBytes(path[..Math.Max(slash, 0)]));
        if (parent < 0) return parent;
        using var folder = new Descriptor(parent);
        return Kernel.Open(folder.Number, Encoding.UTF8.GetBytes(path[(slash + 1)..]), Kernel.ReadOnly | Kernel.NonBlocking);
    }
}
