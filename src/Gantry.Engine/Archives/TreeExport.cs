using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Archives;

/// <summary>
/// A root filesystem as one archive, as docker export writes it: each directory before what is in it, names in byte order, no entry for the root, each further name of
/// a file as a hard link, no sockets. Nothing is followed, and nothing is opened that is no file or directory.
/// </summary>
/// <remarks>Memory: the names in the directories from the root to the current one, and one path for each file that has several.</remarks>
internal sealed class TreeExport(TarWriter archive)
{
    private const int CopyBytes = 256 * 1024, MaxValue = 65536;

    private readonly Dictionary<(ulong FileSystem, ulong Inode), byte[]> _linked = [];
    private readonly byte[] _list = new byte[MaxValue], _value = new byte[MaxValue];
    private readonly byte[] _copy = new byte[CopyBytes];

    /// <exception cref="EngineException">Local: something cannot be read.</exception>
    public void Write(string root, CancellationToken ct)
    {
        var open = new Stack<(Descriptor Folder, byte[] Path, Queue<byte[]> Names)>();
        var number = PosixFault.Check(Kernel.OpenDirectory(root), "open", System.Text.Encoding.UTF8.GetBytes(root));
        open.Push((new Descriptor(number), [], Names(number)));
        try
        {
            while (open.TryPeek(out var level))
            {
                ct.ThrowIfCancellationRequested();
                if (!level.Names.TryDequeue(out var name))
                {
                    open.Pop().Folder.Dispose();
                    continue;
                }

                byte[] path = [.. level.Path, .. name];
                PosixFault.Check(Kernel.Status(level.Folder.Number, name, out var status), "stat", path);
                if (status.Kind == FileKind.Socket) continue;
                if (!status.IsDirectory)
                {
                    WriteEntry(level.Folder.Number, name, path, status, ct);
                    continue;
                }

                var inner = PosixFault.Check(Kernel.Open(level.Folder.Number, name, Kernel.Directory), "open", path);
                open.Push((new Descriptor(inner), [.. path, (byte)'/'], Names(inner)));
                archive.Begin(Values(open.Peek().Path, status, TarEntryType.Directory, Attributes(inner)));
            }
        }
        finally
        {
            while (open.TryPop(out var level)) level.Folder.Dispose();
        }
    }

    private void WriteEntry(int folder, byte[] name, byte[] path, in FileStatus status, CancellationToken ct)
    {
        if (status.Links > 1)
        {
            if (_linked.TryGetValue((status.FileSystem, status.Inode), out var first))
            {
                archive.Begin(Values(path, status, TarEntryType.HardLink, null) with { LinkName = first });
                return;
            }

            _linked.Add((status.FileSystem, status.Inode), path);
        }

        switch (status.Kind)
        {
            case FileKind.RegularFile:
                WriteFile(folder, name, path, ct);
                break;
            case FileKind.SymbolicLink:
                var target = new byte[4096];
                var length = PosixFault.Check(Kernel.ReadLink(folder, name, target), "readlink", path);
                archive.Begin(Values(path, status, TarEntryType.SymbolicLink, Attributes(folder, name)) with { LinkName = target.AsMemory(0, length), Mode = 0x1FF });
                break;
            default:
                var type = status.Kind switch
                {
                    FileKind.Fifo => TarEntryType.Fifo,
                    FileKind.BlockDevice => TarEntryType.BlockDevice,
                    _ => TarEntryType.CharacterDevice,
                };
                var values = Values(path, status, type, Attributes(folder, name));
                archive.Begin(type == TarEntryType.Fifo ? values : values with { DeviceMajor = status.DeviceMajor, DeviceMinor = status.DeviceMinor });
                break;
        }
    }

    private void WriteFile(int folder, byte[] name, byte[] path, CancellationToken ct)
    {
        var number = PosixFault.Check(Kernel.Open(folder, name, Kernel.ReadOnly | Kernel.NonBlocking), "open", path);
        using var file = new SafeFileHandle(number, ownsHandle: true);
        PosixFault.Check(Kernel.Status(number, out var status), "stat", path);
        if (status.Kind != FileKind.RegularFile) throw Changed(path);
        archive.Begin(Values(path, status, TarEntryType.RegularFile, Attributes(number)) with { Size = status.Size });
        for (long at = 0; at < status.Size;)
        {
            ct.ThrowIfCancellationRequested();
            var count = RandomAccess.Read(file, _copy.AsSpan(0, (int)Math.Min(_copy.Length, status.Size - at)), at);
            if (count == 0) throw Changed(path);
            archive.Write(_copy.AsSpan(0, count));
            at += count;
        }
    }

    private static Queue<byte[]> Names(int folder)
    {
        var names = new List<byte[]>();
        using (var read = new DirectoryNames(folder))
        {
            while (read.Next()) names.Add(read.Name.ToArray());
        }

        names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        return new Queue<byte[]>(names);
    }

    private static TarHeaderValues Values(byte[] path, in FileStatus status, TarEntryType type, List<(byte[], byte[])>? attributes) => new()
    {
        Name = path, Type = type, Mode = status.Mode, Uid = status.Uid, Gid = status.Gid, Modified = status.Modified, Attributes = attributes,
    };

    private List<(byte[], byte[])> Attributes(int file) => Attributes(Kernel.ListAttributes(file, _list), key => Kernel.GetAttribute(file, key, _value));

    private List<(byte[], byte[])> Attributes(int folder, byte[] name) =>
        Attributes(Kernel.ListAttributes(folder, name, _list), key => Kernel.GetAttribute(folder, name, key, _value));

    private List<(byte[], byte[])> Attributes(int length, Func<byte[], int> get)
    {
        var found = new List<(byte[], byte[])>();
        if (length is -Errno.NotSupported) return found;
        PosixFault.Check(length, "listxattr", default);
        foreach (var range in _list.AsSpan(0, length).Split((byte)0))
        {
            var key = _list[range];
            if (key.Length == 0 || IsOfThisMachine(key)) continue;
            var size = get(key);
            if (size is -Errno.NoData) continue;
            PosixFault.Check(size, "getxattr", key);
            found.Add((key, _value[..size]));
        }

        return found;
    }

    /// <summary>What the stack of layers is kept by, and labels that another machine's policy does not know.</summary>
    private static bool IsOfThisMachine(ReadOnlySpan<byte> key) =>
        key.StartsWith("trusted.overlay."u8) || key.StartsWith("user.overlay."u8) || key.SequenceEqual("security.selinux"u8);

    private static EngineException Changed(byte[] path) => new(EngineFault.Local, $"{Printable.Of(path)} changed while it was read");
}
