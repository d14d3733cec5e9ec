using Gantry.Engine.Posix;

namespace Gantry.Engine.Unpack;

/// <summary>
/// Removes trees of any depth and width in constant memory and with three open files. No path is ever built: a directory that is not empty is emptied by
/// descriptor, and directories inside it move up to the top of the tree and are met there. Symbolic links are removed, never followed.
/// </summary>
public static class TreeRemoval
{
    /// <summary>Removes whatever is at <paramref name="path"/>; nothing there is fine. Throws EngineException(Local) where this machine refuses.</summary>
    public static void Remove(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var parent = Kernel.OpenDirectory(Path.GetDirectoryName(full) ?? throw new EngineException(EngineFault.Usage, "the root of the machine is not removed"));
        if (parent == -Errno.NoEntry) return;
        using var folder = new Descriptor(PosixFault.Check(parent, "open", System.Text.Encoding.UTF8.GetBytes(full)));
        RemoveAt(folder.Number, System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(full)));
    }

    /// <summary>Removes everything in a directory, whatever bytes its names are, and leaves the directory.</summary>
    public static void Empty(string path)
    {
        using var top = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(path), "open", System.Text.Encoding.UTF8.GetBytes(path)));
        Empty(top.Number);
    }

    /// <summary>The same below an open directory.</summary>
    internal static void RemoveAt(int parent, ReadOnlySpan<byte> name)
    {
        if (TryRemove(parent, name)) return;
        using (var top = new Descriptor(Open(parent, name))) Empty(top.Number);
        PosixFault.Check(Kernel.RemoveDirectory(parent, name), "rmdir", name);
    }

    /// <summary>Removes everything in an open directory but the name <paramref name="except"/>.</summary>
    internal static void Empty(int top, ReadOnlySpan<byte> except = default)
    {
        var moved = 0;
        var found = true;
        using var names = new DirectoryNames(top);

        // A directory may give fewer names while it changes: only a pass that meets none is the end.
        while (found)
        {
            found = false;
            while (names.Next())
            {
                if (names.Name.SequenceEqual(except)) continue;
                found = true;
                if (TryRemove(top, names.Name)) continue;
                using (var inner = new Descriptor(Open(top, names.Name))) Flatten(inner.Number, top, ref moved);
                _ = TryRemove(top, names.Name);
            }

            names.Rewind();
        }
    }

    /// <summary>Removes what has nothing in it, and moves the directories that have to the top.</summary>
    private static void Flatten(int directory, int top, ref int moved)
    {
        using var names = new DirectoryNames(directory);
        while (names.Next())
        {
            if (TryRemove(directory, names.Name)) continue;
            if (!Privileges.IsSuperuser) PosixFault.Check(Kernel.ChangeMode(directory, names.Name, OwnerAll), "chmod", names.Name);
            int result;
            do
            {
                result = Kernel.Rename(directory, names.Name, top, ScratchNames.Numbered(moved++), replace: false);
            }
            while (result == -Errno.Exists);

            // A filesystem that cannot look and move at once: nobody else has names like these.
            if (result == -Errno.Invalid) result = Kernel.Rename(directory, names.Name, top, ScratchNames.Random(), replace: true);
            PosixFault.Check(result, "rename", names.Name);
        }
    }

    private const uint OwnerAll = 0x1C0; // 0700

    /// <summary>False: a directory that is not empty.</summary>
    private static bool TryRemove(int parent, ReadOnlySpan<byte> name)
    {
        var result = Kernel.Unlink(parent, name);
        if (result is -Errno.IsDirectory) result = Kernel.RemoveDirectory(parent, name);
        if (result is -Errno.NotEmpty or -Errno.Exists) return false;
        if (result is not -Errno.NoEntry) PosixFault.Check(result, "remove", name);
        return true;
    }

    /// <summary>A directory without permissions is still its owner's to empty.</summary>
    private static int Open(int parent, ReadOnlySpan<byte> name)
    {
        if (!Privileges.IsSuperuser) PosixFault.Check(Kernel.ChangeMode(parent, name, OwnerAll), "chmod", name);
        return PosixFault.Check(Kernel.Open(parent, name, Kernel.Directory), "open", name);
    }
}
