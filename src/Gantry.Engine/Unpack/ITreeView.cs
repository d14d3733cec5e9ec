using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>An image's tree as its layers so far have made it, in one directory or in several.</summary>
internal interface ITreeView
{
    /// <summary>False where nothing is. The directories of <paramref name="path"/> are real ones; its last component is not followed.</summary>
    bool TryStatus(byte[] path, out FileStatus status);

    byte[] ReadLink(byte[] path);
}

internal static class TreeViewExtensions
{
    private const int MaxLinks = 40;

    /// <summary>
    /// The real path of what <paramref name="path"/> names, symbolic links resolved as in a chroot, the last component only if asked to. Null where there is
    /// nothing, or no way.
    /// </summary>
    public static byte[]? Resolve(this ITreeView view, ReadOnlySpan<byte> path, bool followsLast)
    {
        var (at, links) = (Array.Empty<byte>(), 0);
        var rest = path;
        while (!rest.IsEmpty)
        {
            var slash = rest.IndexOf((byte)'/');
            var component = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? default : rest[(slash + 1)..].TrimStart((byte)'/');
            if (component.IsEmpty || component.SequenceEqual("."u8)) continue;
            if (component.SequenceEqual(".."u8))
            {
                at = ByteNames.DirectoryOf(at, out _).ToArray();
                continue;
            }

            var next = ByteNames.Join(at, component);
            if (next.Length >= EntryName.MaxPath || !view.TryStatus(next, out var status)) return null;
            if (status.Kind == FileKind.SymbolicLink && (followsLast || !rest.IsEmpty))
            {
                if (++links > MaxLinks) return null;
                var target = view.ReadLink(next);
                if (target is [(byte)'/', ..]) at = [];
                rest = (byte[])[.. target, (byte)'/', .. rest];
            }
            else if (status.IsDirectory || rest.IsEmpty) at = next;
            else return null;
        }

        return at;
    }
}
