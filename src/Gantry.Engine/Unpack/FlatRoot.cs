using System.Text;
using Gantry.Engine.Posix;

namespace Gantry.Engine.Unpack;

/// <summary>
/// The directory that an image is unpacked into. Before its first layer it gets what a directory without an entry has in any layer: 0755, root's, the year 1970. So an
/// image that says nothing of its root looks the same wherever it is unpacked, and in an overlay too.
/// </summary>
internal sealed class FlatRoot : IDisposable
{
    private readonly Descriptor _root;
    private readonly FileStatus _before;

    public FlatRoot(string directory)
    {
        _root = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(directory), "open", Encoding.UTF8.GetBytes(directory)));
        PosixFault.Check(Kernel.Status(_root.Number, out _before), "stat", "."u8);
        Kernel.RemoveAttribute(_root.Number, AttributePolicy.DefaultAcl);
        Set(0, 0, 0x1ED, default);
    }

    /// <summary>As it was before, for an image that was not unpacked.</summary>
    public void Restore() => Set(_before.Uid, _before.Gid, _before.Mode, _before.Modified);

    public void Dispose() => _root.Dispose();

    private void Set(uint user, uint group, uint mode, Layers.Tar.TarTime modified)
    {
        if (Privileges.IsSuperuser) PosixFault.Check(Kernel.ChangeOwner(_root.Number, user, group), "chown", "."u8);
        PosixFault.Check(Kernel.ChangeMode(_root.Number, mode), "chmod", "."u8);
        PosixFault.Check(Kernel.SetModified(_root.Number, modified), "utimens", "."u8);
    }
}
