using System.Buffers;

namespace Gantry.Engine.Posix;

/// <summary>The names in an open directory, read in blocks of 32 KiB. Names that come or go meanwhile may be missed, as readdir has it.</summary>
internal ref struct DirectoryNames
{
    private const int BlockSize = 32 * 1024, HeaderSize = 19;
    private const byte Unknown = 0, DirectoryType = 4;

    private readonly int _directory;
    private readonly byte[] _block = ArrayPool<byte>.Shared.Rent(BlockSize);
    private int _length;
    private int _next;

    /// <summary>From the first name, wherever a listing by the same descriptor ended before.</summary>
    public DirectoryNames(int directory)
    {
        _directory = directory;
        Rewind();
    }

    /// <summary>Valid until the next <see cref="Next"/>.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public bool IsDirectory { get; private set; }

    /// <summary>From the first name again.</summary>
    public void Rewind()
    {
        PosixFault.Check(Libc.Seek(_directory, 0, 0) < 0 ? -System.Runtime.InteropServices.Marshal.GetLastPInvokeError() : 0, "lseek", default);
        _length = _next = 0;
    }

    public unsafe bool Next()
    {
        while (true)
        {
            if (_next == _length)
            {
                fixed (byte* block = _block)
                {
                    var read = (int)Libc.GetDirectoryEntries(_directory, block, BlockSize);
                    if (read < 0) throw PosixFault.Of(System.Runtime.InteropServices.Marshal.GetLastPInvokeError(), "getdents64", default);
                    if (read == 0) return false;
                    (_length, _next) = (read, 0);
                }
            }

            // struct linux_dirent64: inode 8, offset 8, length 2, type 1, name.
            var record = _block.AsSpan(_next);
            _next += BitConverter.ToUInt16(record[16..]);
            var name = record[HeaderSize..];
            Name = name[..name.IndexOf((byte)0)];
            if (Name.SequenceEqual("."u8) || Name.SequenceEqual(".."u8)) continue;
            IsDirectory = record[18] == Unknown ? Kernel.Status(_directory, Name, out var status) == 0 && status.IsDirectory : record[18] == DirectoryType;
            return true;
        }
    }

    public readonly void Dispose() => ArrayPool<byte>.Shared.Return(_block);
}
