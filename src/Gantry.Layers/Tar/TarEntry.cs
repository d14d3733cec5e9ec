namespace Gantry.Layers.Tar;

/// <summary>The kinds of entry that a layer may hold (image-spec, "Image Layer Filesystem Changeset", file types).</summary>
public enum TarEntryType
{
    RegularFile,
    HardLink,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// <summary>A time as PAX gives it, seconds since 1970 and the nanoseconds after them; seconds may be negative.</summary>
public readonly record struct TarTime(long Seconds, int Nanoseconds);

/// <summary>An extended attribute (<c>SCHILY.xattr.</c>): any bytes.</summary>
public readonly record struct TarAttribute(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value);

/// <summary>
/// One header of an archive with everything that precedes it applied: long names, PAX records, the ustar prefix. Names are the archive's bytes, without NUL and not
/// normalised. It is the reader's own and changes with its next <see cref="TarReader.Next"/>; what shall last longer is copied.
/// </summary>
public sealed class TarEntry
{
    public TarEntryType Type { get; internal set; }

    public ReadOnlyMemory<byte> Name { get; internal set; }

    /// <summary>Of hard and symbolic links; empty otherwise.</summary>
    public ReadOnlyMemory<byte> LinkName { get; internal set; }

    /// <summary>Permission bits, 07777 at most.</summary>
    public uint Mode { get; internal set; }

    public uint Uid { get; internal set; }

    public uint Gid { get; internal set; }

    /// <summary>Of the file once it is written, holes included; 0 for what has no content.</summary>
    public long Size { get; internal set; }

    public TarTime Modified { get; internal set; }

    public uint DeviceMajor { get; internal set; }

    public uint DeviceMinor { get; internal set; }

    public IReadOnlyList<TarAttribute> Attributes { get; internal set; } = [];
}
