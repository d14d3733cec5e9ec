using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>The tree of a flat root filesystem.</summary>
internal sealed class FlatView(int root) : ITreeView
{
    public bool TryStatus(byte[] path, out FileStatus status)
    {
        status = default;
        using var directory = OpenDirectoryOf(path, out var name);
        if (!directory.IsOpen) return false;
        var result = Kernel.Status(directory.Number, name, out status);
        if (result != -Errno.NoEntry) PosixFault.Check(result, "stat", path);
        return result == 0;
    }

    public byte[] ReadLink(byte[] path)
    {
        using var directory = OpenDirectoryOf(path, out var name);
        var target = new byte[EntryName.MaxPath];
        return target[..PosixFault.Check(Kernel.ReadLink(directory.Number, name, target), "readlink", path)];
    }

    /// <summary>Of a real path; not open where there is none.</summary>
    public Descriptor OpenDirectoryOf(byte[] path, out ReadOnlySpan<byte> name)
    {
        var opened = Kernel.OpenDirectoryBeneath(root, ByteNames.DirectoryOf(path, out name));
        return opened is -Errno.NoEntry or -Errno.NotDirectory or -Errno.Loop ? Descriptor.None : new Descriptor(PosixFault.Check(opened, "open", path));
    }
}
