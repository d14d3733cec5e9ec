using System.Buffers;
using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>Copies one file of any kind but a directory, with its metadata, under a new name. Shares the blocks where the filesystem can.</summary>
internal static class FileCopy
{
    private const int BufferSize = 256 * 1024;

    public static void Copy(int fromDirectory, ReadOnlySpan<byte> from, int toDirectory, ReadOnlySpan<byte> to, in FileStatus status)
    {
        switch (status.Kind)
        {
            case FileKind.RegularFile:
                CopyRegular(fromDirectory, from, toDirectory, to, status);
                return;
            case FileKind.SymbolicLink:
                var target = new byte[EntryName.MaxPath];
                var length = PosixFault.Check(Kernel.ReadLink(fromDirectory, from, target), "readlink", from);
                PosixFault.Check(Kernel.MakeSymbolicLink(target.AsSpan(0, length), toDirectory, to), "symlink", to);
                break;
            default:
                var device = Kernel.DeviceNumber(status.DeviceMajor, status.DeviceMinor) ?? 0;
                PosixFault.Check(Kernel.MakeNode(toDirectory, to, status.Kind, 0, device), "mknod", to);
                break;
        }

        if (NeedsOwner(status)) PosixFault.Check(Kernel.ChangeOwner(toDirectory, to, status.Uid, status.Gid), "chown", to);
        MetadataCopy.CopyAttributes(fromDirectory, from, toDirectory, to);
        if (status.Kind != FileKind.SymbolicLink) PosixFault.Check(Kernel.ChangeMode(toDirectory, to, status.Mode), "chmod", to);
        PosixFault.Check(Kernel.SetModified(toDirectory, to, status.Modified), "utimens", to);
    }

    internal static bool NeedsOwner(in FileStatus status) => status.Uid != Libc.EffectiveUser() || status.Gid != Libc.EffectiveGroup();

    private static void CopyRegular(int fromDirectory, ReadOnlySpan<byte> from, int toDirectory, ReadOnlySpan<byte> to, in FileStatus status)
    {
        using var source = new Descriptor(PosixFault.Check(Kernel.Open(fromDirectory, from, Kernel.ReadOnly | Kernel.NonBlocking), "open", from));
        const int flags = Kernel.Create | Kernel.Exclusive | Kernel.WriteOnly;
        using var copy = new Descriptor(PosixFault.Check(Kernel.Open(toDirectory, to, flags, 0x180), "create", to));
        CopyContent(source.Number, copy.Number, status.Size, to);
        if (NeedsOwner(status)) PosixFault.Check(Kernel.ChangeOwner(copy.Number, status.Uid, status.Gid), "chown", to);
        MetadataCopy.CopyAttributes(source.Number, copy.Number, default);
        PosixFault.Check(Kernel.ChangeMode(copy.Number, status.Mode), "chmod", to);
        PosixFault.Check(Kernel.SetModified(copy.Number, status.Modified), "utimens", to);
    }

    private static void CopyContent(int from, int to, long size, ReadOnlySpan<byte> name)
    {
        var done = 0L;
        while (done < size && Kernel.CopyRange(from, to, done, size - done) is var copied and > 0) done += copied;
        if (done == size) return;

        // A filesystem, or a filter, without the call.
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (PosixFault.Check(Kernel.Read(from, buffer, done), "read", name) is var read and > 0)
            {
                PosixFault.Check(Kernel.Write(to, buffer.AsSpan(0, (int)read), done), "write", name);
                done += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
