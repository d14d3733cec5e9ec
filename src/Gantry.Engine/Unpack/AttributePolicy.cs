using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

internal enum AttributeFate
{
    Set,

    /// <summary>Left out, and nobody misses it.</summary>
    Skip,

    /// <summary>Left out with a warning.</summary>
    Warn,
}

/// <summary>
/// Which extended attributes of an archive reach the disk. Those that overlayfs reads are never written as they are into a layer: they would hide files or
/// redirect directories. The ones of the family that the mount will read are escaped as overlayfs itself escapes them (Linux 6.7; older kernels hide them), and
/// are plain in a flat tree, so both show the same.
/// </summary>
internal static class AttributePolicy
{
    private const int MaxCount = 256, MaxBytes = 256 * 1024;

    public static ReadOnlySpan<byte> DefaultAcl => "system.posix_acl_default"u8;

    public static AttributeFate Judge(ReadOnlySpan<byte> name, UnpackMode mode, Privileges privileges, out byte[]? escaped)
    {
        escaped = null;
        var family = privileges.OverlayPrefix;
        if (name.StartsWith(family))
        {
            if (mode == UnpackMode.Layer) escaped = [.. family, .. "overlay."u8, .. name[family.Length..]];
            return AttributeFate.Set;
        }

        if (name.StartsWith("trusted."u8) || name.StartsWith("user.overlay."u8)) return AttributeFate.Warn;
        return IsKept(name) ? AttributeFate.Set : AttributeFate.Skip;
    }

    /// <summary>False for what belongs to the machine and not to the image: labels of its security policy, ACLs of its network filesystems.</summary>
    public static bool IsKept(ReadOnlySpan<byte> name) =>
        !name.SequenceEqual("security.selinux"u8) && !name.StartsWith("system.nfs4_"u8) && !name.StartsWith("system.cifs_"u8);

    public static bool IsAcl(ReadOnlySpan<byte> name) => name.StartsWith("system.posix_acl_"u8);

    /// <summary>An error that means "not here": the kind of file, the filesystem or the privileges do not allow it.</summary>
    public static bool IsRefusal(int result) => result is -Errno.NotPermitted or -Errno.NotSupported or -Errno.AccessDenied;

    /// <summary>The limits of the reader again, for whoever reads with others.</summary>
    public static void Check(IReadOnlyList<Layers.Tar.TarAttribute> attributes, ReadOnlySpan<byte> file)
    {
        var total = 0L;
        for (var index = 0; index < attributes.Count; index++)
        {
            var (name, value) = attributes[index];
            total += name.Length + value.Length;
            if (name.Length <= Kernel.MaxAttributeName && value.Length <= Kernel.MaxAttributeValue && total <= MaxBytes && index < MaxCount) continue;
            throw new LayerException(LayerFault.TooLarge, $"{Printable.Of(file)} has more or larger extended attributes than Linux takes");
        }
    }
}
