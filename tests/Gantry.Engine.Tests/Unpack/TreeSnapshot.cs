using System.Security.Cryptography;
using System.Text;
using Gantry.Engine.Posix;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>All that can be seen of a file. <paramref name="Links"/>: its other names in the tree.</summary>
internal sealed record TreeEntry(
    FileKind Kind, uint Mode, uint Uid, uint Gid, TarTime Modified, string Content, string Attributes, string Links, ulong Inode)
{
    /// <summary>All but the number of the inode, which a copy does not have.</summary>
    public override string ToString() =>
        $"{Kind} {Convert.ToString(Mode, 8)} {Uid}:{Gid} {Modified.Seconds}.{Modified.Nanoseconds:d9} [{Content}] [{Attributes}] [{Links}]";
}

/// <summary>A tree as it is on disk, read by descriptors and byte names; paths are Latin-1, so that every byte is one character.</summary>
internal sealed class TreeSnapshot
{
    private readonly SortedDictionary<string, TreeEntry> _entries = new(StringComparer.Ordinal);

    private TreeSnapshot()
    {
    }

    public TreeEntry this[string path] => _entries.TryGetValue(path, out var entry) ? entry : throw new KeyNotFoundException($"no {path} in\n{this}");

    /// <summary>All paths but the root's.</summary>
    public IEnumerable<string> Paths => _entries.Keys.Where(path => path.Length > 0);

    public bool Has(string path) => _entries.ContainsKey(path);

    public string Content(string path) => this[path].Content;

    public static TreeSnapshot Of(string directory)
    {
        var found = new List<(string Path, TreeEntry Entry)>();
        using var root = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(directory), "open", Encoding.UTF8.GetBytes(directory)));
        var pending = new Stack<string>([""]);
        while (pending.TryPop(out var path))
        {
            using var here = new Descriptor(PosixFault.Check(Kernel.OpenDirectoryBeneath(root.Number, Bytes(path)), "open", Bytes(path)));
            if (path.Length == 0) found.Add(("", Read(here.Number, default, here.Number)));
            using var names = new DirectoryNames(here.Number);
            while (names.Next())
            {
                var child = path.Length == 0 ? Text(names.Name) : $"{path}/{Text(names.Name)}";
                var entry = Read(here.Number, names.Name, here.Number);
                found.Add((child, entry));
                if (entry.Kind == FileKind.Directory) pending.Push(child);
            }
        }

        var groups = found.Where(item => item.Entry.Kind != FileKind.Directory).GroupBy(item => item.Entry.Inode)
            .ToDictionary(group => group.Key, group => string.Join(' ', group.Select(item => item.Path).Order(StringComparer.Ordinal)));
        var snapshot = new TreeSnapshot();
        foreach (var (path, entry) in found)
        {
            var links = entry.Kind != FileKind.Directory && groups[entry.Inode] is var names && names != path ? names : "";
            snapshot._entries[path] = entry with { Links = links };
        }

        return snapshot;
    }

    /// <summary>One line a file: two snapshots are equal when these are.</summary>
    public override string ToString() => string.Join('\n', _entries.Select(entry => $"{entry.Key}: {entry.Value}"));

    public static byte[] Bytes(string path) => Encoding.Latin1.GetBytes(path);

    private static string Text(ReadOnlySpan<byte> name) => Encoding.Latin1.GetString(name);

    private static TreeEntry Read(int directory, ReadOnlySpan<byte> name, int descriptor)
    {
        PosixFault.Check(Kernel.Status(directory, name, out var status), "stat", name);
        var content = status.Kind switch
        {
            FileKind.RegularFile => ReadContent(directory, name, status),
            FileKind.SymbolicLink => ReadLink(directory, name),
            FileKind.CharacterDevice or FileKind.BlockDevice => $"{status.DeviceMajor}:{status.DeviceMinor}",
            _ => "",
        };
        var attributes = name.IsEmpty ? Attributes(descriptor) : Attributes(directory, name, status);
        var mode = status.Kind == FileKind.SymbolicLink ? 0 : status.Mode;
        return new TreeEntry(status.Kind, mode, status.Uid, status.Gid, status.Modified, content, attributes, "", status.Inode);
    }

    private static string ReadContent(int directory, ReadOnlySpan<byte> name, FileStatus status)
    {
        using var file = new Descriptor(PosixFault.Check(Kernel.Open(directory, name, Kernel.ReadOnly), "open", name));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        for (long done = 0; PosixFault.Check(Kernel.Read(file.Number, buffer, done), "read", name) is var read and > 0; done += read)
        {
            if (status.Size <= 64) return $"{status.Size}: {Text(buffer.AsSpan(0, read))}";
            hash.AppendData(buffer, 0, read);
        }

        return $"{status.Size}: {Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    private static string ReadLink(int directory, ReadOnlySpan<byte> name)
    {
        var target = new byte[4096];
        return Text(target.AsSpan(0, PosixFault.Check(Kernel.ReadLink(directory, name, target), "readlink", name)));
    }

    private static string Attributes(int directory, ReadOnlySpan<byte> name, FileStatus status)
    {
        if (status.Kind == FileKind.Directory)
        {
            using var opened = new Descriptor(PosixFault.Check(Kernel.Open(directory, name, Kernel.Directory), "open", name));
            return Attributes(opened.Number);
        }

        var list = new byte[65536];
        var value = new byte[65536];
        var all = new List<string>();
        var file = name.ToArray();
        foreach (var attribute in Names(list.AsSpan(0, PosixFault.Check(Kernel.ListAttributes(directory, name, list), "listxattr", name))))
        {
            all.Add(Show(attribute, value.AsSpan(0, PosixFault.Check(Kernel.GetAttribute(directory, file, attribute, value), "getxattr", attribute))));
        }

        return string.Join(' ', all.Order(StringComparer.Ordinal));
    }

    private static string Attributes(int descriptor)
    {
        var list = new byte[65536];
        var value = new byte[65536];
        return string.Join(' ', Names(list.AsSpan(0, PosixFault.Check(Kernel.ListAttributes(descriptor, list), "listxattr", default)))
            .Select(name => Show(name, value.AsSpan(0, PosixFault.Check(Kernel.GetAttribute(descriptor, name, value), "getxattr", name))))
            .Order(StringComparer.Ordinal));
    }

    private static List<byte[]> Names(ReadOnlySpan<byte> list)
    {
        var names = new List<byte[]>();
        while (!list.IsEmpty)
        {
            names.Add(list[..list.IndexOf((byte)0)].ToArray());
            list = list[(names[^1].Length + 1)..];
        }

        return names;
    }

    private static string Show(byte[] name, ReadOnlySpan<byte> value) =>
        $"{Text(name)}={(value.Length > 64 ? Convert.ToHexStringLower(SHA256.HashData(value)) : Convert.ToHexStringLower(value))}";
}
