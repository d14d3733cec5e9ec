using Gantry.Engine.Posix;

namespace Gantry.Engine.Unpack;

/// <summary>
/// Descriptors of the directories used last, so that a run of entries in one directory opens it once. At most <see cref="Capacity"/> are open; the two handed
/// out last stay open.
/// </summary>
internal sealed class OpenDirectories(int root) : IDisposable
{
    private const int Capacity = 48;

    private readonly StagedDirectory?[] _open = new StagedDirectory?[Capacity];
    private long _uses;

    public int Of(StagedDirectory directory)
    {
        if (directory.Parent is null) return root;
        directory.LastUse = ++_uses;
        if (directory.Descriptor >= 0) return directory.Descriptor;

        var ancestor = directory.Parent;
        while (ancestor.Descriptor < 0 && ancestor.Parent is not null) ancestor = ancestor.Parent;
        var path = directory.PathBelow(ancestor);
        var opened = Kernel.OpenDirectoryBeneath(ancestor.Parent is null ? root : ancestor.Descriptor, path);
        directory.Descriptor = PosixFault.Check(opened, "open", path);

        var oldest = 0;
        for (var slot = 0; slot < Capacity && _open[oldest] is not null; slot++)
        {
            if (_open[slot] is null || _open[slot]!.LastUse < _open[oldest]!.LastUse) oldest = slot;
        }

        Close(oldest);
        _open[oldest] = directory;
        return directory.Descriptor;
    }

    /// <summary>Before a directory is removed.</summary>
    public void Forget(StagedDirectory directory)
    {
        if (directory.Descriptor >= 0) Close(Array.IndexOf(_open, directory));
    }

    public void Dispose()
    {
        for (var slot = 0; slot < Capacity; slot++) Close(slot);
    }

    private void Close(int slot)
    {
        if (_open[slot] is not { } directory) return;
        Kernel.Close(directory.Descriptor);
        directory.Descriptor = -1;
        _open[slot] = null;
    }
}
