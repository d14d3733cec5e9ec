using Gantry.Layers.Tar;

namespace Gantry.Engine.Posix;

internal enum FileKind : uint
{
    Fifo = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    RegularFile = 0x8000,
    SymbolicLink = 0xA000,
    Socket = 0xC000,
}

/// <summary>What statx says of a file. The mode is the permission bits, 07777 at most.</summary>
internal readonly record struct FileStatus(
    FileKind Kind, uint Mode, uint Uid, uint Gid, uint Links, ulong Inode, ulong FileSystem, long Size, TarTime Modified, uint DeviceMajor, uint DeviceMinor)
{
    /// <summary>Overlayfs's mark for "removed here": a character device 0:0.</summary>
    public bool IsWhiteout => Kind == FileKind.CharacterDevice && DeviceMajor == 0 && DeviceMinor == 0;

    public bool IsDirectory => Kind == FileKind.Directory;

    public bool IsSameFileAs(in FileStatus other) => Inode == other.Inode && FileSystem == other.FileSystem;

    /// <summary>Reads <c>struct statx</c>, which has one layout on every architecture.</summary>
    public static unsafe FileStatus Of(byte* statx)
    {
        uint mode = *(ushort*)(statx + 28);
        return new FileStatus(
            (FileKind)(mode & 0xF000), mode & 0xFFF, *(uint*)(statx + 20), *(uint*)(statx + 24), *(uint*)(statx + 16), *(ulong*)(statx + 32),
            ((ulong)*(uint*)(statx + 136) << 32) | *(uint*)(statx + 140), *(long*)(statx + 40),
            new TarTime(*(long*)(statx + 112), *(int*)(statx + 120)), *(uint*)(statx + 128), *(uint*)(statx + 132));
    }
}
