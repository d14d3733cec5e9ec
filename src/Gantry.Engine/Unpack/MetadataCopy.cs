using Gantry.Engine.Posix;

namespace Gantry.Engine.Unpack;

/// <summary>Owner, extended attributes, mode and times from one file to another of the same kind.</summary>
internal static class MetadataCopy
{
    /// <summary>Everything of a directory. <paramref name="except"/>: an attribute that stays behind.</summary>
    public static void Directory(int from, in FileStatus status, int to, ReadOnlySpan<byte> except)
    {
        if (FileCopy.NeedsOwner(status)) PosixFault.Check(Kernel.ChangeOwner(to, status.Uid, status.Gid), "chown", default);
        ReplaceAttributes(from, to, except);
        PosixFault.Check(Kernel.ChangeMode(to, status.Mode), "chmod", default);
        PosixFault.Check(Kernel.SetModified(to, status.Modified), "utimens", default);
    }

    /// <summary>All attributes of one directory, and none but those, on another. <paramref name="except"/>: one that stays behind.</summary>
    public static void ReplaceAttributes(int from, int to, ReadOnlySpan<byte> except)
    {
        AttributeWriter.Clear(to);
        CopyAttributes(from, to, except);
    }

    public static void CopyAttributes(int from, int to, ReadOnlySpan<byte> except)
    {
        var list = new byte[Kernel.MaxAttributeList];
        var length = Kernel.ListAttributes(from, list);
        if (length is 0 or -Errno.NotSupported) return;
        var value = new byte[Kernel.MaxAttributeValue];
        foreach (var range in Names(list.AsSpan(0, PosixFault.Check(length, "listxattr", default))))
        {
            var name = list.AsSpan(range);
            if (name.SequenceEqual(except) || !AttributePolicy.IsKept(name)) continue;
            var size = PosixFault.Check(Kernel.GetAttribute(from, name, value), "getxattr", name);
            PosixFault.Check(Kernel.SetAttribute(to, name, value.AsSpan(0, size)), "setxattr", name);
        }
    }

    /// <summary>Of what must not be opened.</summary>
    public static void CopyAttributes(int fromDirectory, ReadOnlySpan<byte> from, int toDirectory, ReadOnlySpan<byte> to)
    {
        var list = new byte[Kernel.MaxAttributeList];
        var length = Kernel.ListAttributes(fromDirectory, from, list);
        if (length is 0 or -Errno.NotSupported) return;
        var value = new byte[Kernel.MaxAttributeValue];
        foreach (var range in Names(list.AsSpan(0, PosixFault.Check(length, "listxattr", from))))
        {
            var name = list.AsSpan(range);
            if (!AttributePolicy.IsKept(name)) continue;
            var size = PosixFault.Check(Kernel.GetAttribute(fromDirectory, from, name, value), "getxattr", name);
            PosixFault.Check(Kernel.SetAttribute(toDirectory, to, name, value.AsSpan(0, size)), "setxattr", name);
        }
    }

    private static List<Range> Names(ReadOnlySpan<byte> list)
    {
        var names = new List<Range>();
        for (var start = 0; start < list.Length;)
        {
            var end = start + list[start..].IndexOf((byte)0);
            names.Add(start..end);
            start = end + 1;
        }

        return names;
    }
}
