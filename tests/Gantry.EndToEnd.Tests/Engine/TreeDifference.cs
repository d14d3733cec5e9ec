using Gantry.Engine.Posix;
using Gantry.Engine.Tests.Unpack;
using Gantry.Layers.Tar;

namespace Gantry.EndToEnd.Tests.Engine;

internal enum TreeAspect
{
    /// <summary>Only one of the trees has the path.</summary>
    Presence,
    Kind,
    Mode,
    Owner,
    Time,

    /// <summary>Of a file its bytes, of a symbolic link its target, of a device its numbers.</summary>
    Content,
    Attributes,

    /// <summary>Which other names the file has.</summary>
    Links,
}

/// <summary>One thing in which two trees differ. <paramref name="Path"/> is Latin-1: a byte is a character.</summary>
internal sealed record TreeDifference(string Path, TreeAspect Aspect, bool IsDirectory, string Ours, string Theirs)
{
    public override string ToString() => $"/{string.Concat(Path.Select(Shown))}: {Aspect} is {Ours}, theirs {Theirs}";

    /// <summary>All of them, path by path, aspect by aspect.</summary>
    public static List<TreeDifference> Between(TreeSnapshot ours, TreeSnapshot theirs)
    {
        var found = new List<TreeDifference>();
        foreach (var path in ours.Paths.Union(theirs.Paths, StringComparer.Ordinal).Prepend("").Order(StringComparer.Ordinal))
        {
            if (!ours.Has(path) || !theirs.Has(path))
            {
                found.Add(new TreeDifference(path, TreeAspect.Presence, false, At(ours, path), At(theirs, path)));
                continue;
            }

            var (own, other) = (ours[path], theirs[path]);
            void Compare<T>(TreeAspect aspect, T mine, T yours)
                where T : notnull
            {
                if (!mine.Equals(yours)) found.Add(new TreeDifference(path, aspect, own.Kind == FileKind.Directory, mine.ToString()!, yours.ToString()!));
            }

            Compare(TreeAspect.Kind, own.Kind, other.Kind);
            Compare(TreeAspect.Mode, Convert.ToString(own.Mode, 8), Convert.ToString(other.Mode, 8));
            Compare(TreeAspect.Owner, $"{own.Uid}:{own.Gid}", $"{other.Uid}:{other.Gid}");
            Compare(TreeAspect.Time, Text(own.Modified), Text(other.Modified));
            Compare(TreeAspect.Content, own.Content, other.Content);
            Compare(TreeAspect.Attributes, own.Attributes, other.Attributes);
            Compare(TreeAspect.Links, own.Links, other.Links);
        }

        return found;
    }

    private static string At(TreeSnapshot tree, string path) => tree.Has(path) ? tree[path].ToString() : "nothing";

    private static string Text(TarTime time) => $"{time.Seconds}.{time.Nanoseconds:d9}";

    private static string Shown(char c) => c is >= ' ' and <= '~' and not '\\' ? c.ToString() : $"\\x{(int)c:x2}";
}
