namespace Gantry.Layers.Tar;

/// <summary>
/// What one entry may cost its reader in memory. The defaults are above what any known writer makes and below what hurts. How many entries and how many bytes
/// an archive may have is for whoever unpacks it to say.
/// </summary>
public sealed record TarLimits
{
    public static TarLimits Default { get; } = new();

    /// <summary>One long name or one PAX header; Go's limit as well.</summary>
    public int MetaBytes { get; init; } = 1 << 20;

    /// <summary>Everything that precedes one entry, headers included, so that an endless row of PAX headers ends.</summary>
    public int MetaBytesPerEntry { get; init; } = 4 << 20;

    /// <summary>Linux takes names of 255 bytes and values of 64 KiB.</summary>
    public int AttributeNameBytes { get; init; } = 255;

    public int AttributeValueBytes { get; init; } = 64 << 10;

    public int AttributeBytesPerEntry { get; init; } = 256 << 10;

    public int AttributesPerEntry { get; init; } = 256;

    /// <summary>Pieces of data in a sparse file, 16 bytes of memory each.</summary>
    public int SparseRegions { get; init; } = 1 << 16;
}
