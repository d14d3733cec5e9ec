using System.Text;
using Gantry.Engine.Posix;

namespace Gantry.Engine.Unpack;

/// <summary>The empty directory that an image is unpacked into, and what it was before: the directory itself becomes the image's root.</summary>
internal sealed class GivenDirectory
{
    private readonly string _path;
    private readonly FileStatus _status;
    private readonly bool _hasAttributes;

    private GivenDirectory(string path, in FileStatus status, bool hasAttributes) => (_path, _status, _hasAttributes) = (path, status, hasAttributes);

    public static GivenDirectory Of(string path)
    {
        using var directory = Open(path);
        PosixFault.Check(Kernel.Status(directory.Number, out var status), "stat", default);
        return new GivenDirectory(path, status, Kernel.ListAttributes(directory.Number, new byte[Kernel.MaxAttributeList]) > 0);
    }

    /// <summary>
    /// Gives it what a directory without an entry has in any layer: 0755, root's, the year 1970. So an image that says nothing of its root looks the same wherever it is
    /// unpacked, and in an overlay too.
    /// </summary>
    public void BecomeImplied()
    {
        using var directory = Open(_path);
        Kernel.RemoveAttribute(directory.Number, AttributePolicy.DefaultAcl);
        if (Privileges.IsSuperuser) PosixFault.Check(Kernel.ChangeOwner(directory.Number, 0, 0), "chown", default);
        PosixFault.Check(Kernel.ChangeMode(directory.Number, 0x1ED), "chmod", default);
        PosixFault.Check(Kernel.SetModified(directory.Number, default), "utimens", default);
    }

    /// <summary>Empty again, with the owner, the mode and the time that it had. Attributes go where it had none; those that it had and a layer replaced are lost.</summary>
    public void Restore()
    {
        TreeRemoval.Empty(_path);
        using var directory = Open(_path);
        if (!_hasAttributes) AttributeWriter.Clear(directory.Number);
        PosixFault.Check(Kernel.Status(directory.Number, out var now), "stat", default);
        if ((now.Uid, now.Gid) != (_status.Uid, _status.Gid)) PosixFault.Check(Kernel.ChangeOwner(directory.Number, _status.Uid, _status.Gid), "chown", default);
        PosixFault.Check(Kernel.ChangeMode(directory.Number, _status.Mode), "chmod", default);
        PosixFault.Check(Kernel.SetModified(directory.Number, _status.Modified), "utimens", default);
    }

    private static Descriptor Open(string path) => new(PosixFault.Check(Kernel.OpenDirectory(path), "open", Encoding.UTF8.GetBytes(path)));
}
