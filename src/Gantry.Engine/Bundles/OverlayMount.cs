using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Gantry.Engine.Posix;
using Gantry.Engine.Snapshots;
using Gantry.Engine.Unpack;

namespace Gantry.Engine.Bundles;

/// <summary>
/// Mounts a stack of layers. mount(2) takes its options in one page, which the paths of some fifty layers fill; so the layers get links with names of a character
/// or two, and the mount is made from the folder of the links.
/// </summary>
/// <remarks>The folder has to be the thread's alone, so a thread of its own parts with the process's working directory, mounts and ends.</remarks>
internal static unsafe partial class OverlayMount
{
    /// <summary>The kernel's own limit (OVL_MAX_STACK).</summary>
    public const int MaxLayers = 500;

    private const int ShareFolder = 0x200, ShareMounts = 0x20000;
    private const ulong NoDevices = 4, ReadOnly = 1, Recursive = 0x4000, Private = 0x40000;
    private const int Detach = 2;

    /// <summary>Mounts at <paramref name="target"/>, for everybody to see.</summary>
    /// <param name="folder">Gets <c>lower</c> with the links, <c>upper</c>, where changes go, and <c>work</c>. Has to be kept as long as the mount.</param>
    /// <param name="target">An absolute path of an empty folder.</param>
    /// <param name="layers">Of the store; a lease of the caller keeps them.</param>
    public static void Mount(string folder, string target, LayerChain layers) => OnThread(() =>
    {
        Check(Unshare(ShareFolder), "unshare");
        MountHere(folder, target, layers, isWritable: true);
    });

    /// <summary>
    /// Mounts in a namespace of mounts that only <paramref name="use"/> sees, and the processes it starts: it ends with them, however they end. Runs it on a thread of its own.
    /// </summary>
    public static void MountPrivately(string folder, string target, LayerChain layers, bool isWritable, Action use) => OnThread(() =>
    {
        Check(Unshare(ShareFolder | ShareMounts), "unshare");
        Check(MountAt("none", "/", null, Recursive | Private, null), "mount --make-rprivate /");
        MountHere(folder, target, layers, isWritable);
        use();
    });

    public static void Unmount(string target) => Check(UnmountAt(target, Detach), $"umount {target}");

    private static void MountHere(string folder, string target, LayerChain layers, bool isWritable)
    {
        if (layers.Folders.Count > MaxLayers)
            throw new EngineException(EngineFault.Unsupported, $"{layers.Folders.Count} layers are more than the {MaxLayers} that the kernel stacks: use a flat root filesystem");
        var links = Path.Combine(folder, "lower");
        Directory.CreateDirectory(links);
        var names = new List<string>();
        foreach (var layer in layers.Folders.Reverse())
        {
            var name = names.Count.ToString("x", CultureInfo.InvariantCulture);
            var link = Path.Combine(links, name);
            File.Delete(link);
            File.CreateSymbolicLink(link, layer);
            names.Add(name);
        }

        // A stack of one that nobody writes to is none to the kernel, and one of nothing neither.
        for (var least = isWritable ? 1 : 2; names.Count < least;)
        {
            var name = $"empty{names.Count}";
            Directory.CreateDirectory(Path.Combine(links, name));
            names.Add(name);
        }

        var options = $"lowerdir={string.Join(':', names)}";
        if (isWritable)
        {
            MakeUpper(Path.Combine(folder, "upper"), layers);
            Directory.CreateDirectory(Path.Combine(folder, "work"));
            options += ",upperdir=../upper,workdir=../work";
        }

        if (layers.UsesUserAttributes) options += ",userxattr";

        Check(ChangeFolder(links), $"chdir {links}");
        Check(MountAt("overlay", target, "overlay", isWritable ? 0 : ReadOnly | NoDevices, options), $"mount overlay at {target}");
    }

    /// <summary>The mount's root is the upper folder: it has to look as the root of the layers does.</summary>
    private static void MakeUpper(string upper, LayerChain layers)
    {
        if (Directory.Exists(upper)) return;
        Directory.CreateDirectory(upper);
        if (layers.Folders.Count == 0) return;
        using var from = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(layers.Folders[^1]), "open", default));
        using var to = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(upper), "open", default));
        PosixFault.Check(Kernel.Status(from.Number, out var status), "stat", default);
        MetadataCopy.Directory(from.Number, status, to.Number, default);
    }

    private static void OnThread(Action action)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception fault)
            {
                failure = ExceptionDispatchInfo.Capture(fault);
            }
        })
        { Name = "gantry-mount" };
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    private static void Check(int result, string call)
    {
        if (result == 0) return;
        var error = Marshal.GetLastPInvokeError();
        throw new EngineException(EngineFault.Local, $"{call}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "chdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeFolder(string path);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountAt(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnmountAt(string target, int flags);
}
