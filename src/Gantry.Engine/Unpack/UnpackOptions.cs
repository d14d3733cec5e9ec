namespace Gantry.Engine.Unpack;

/// <summary>
/// How a layer is unpacked, and how much of one is accepted. Going over a limit is a <see cref="Layers.LayerException"/> of the fault TooLarge, before the disk
/// has more than the limit.
/// </summary>
public sealed record UnpackOptions
{
    /// <summary>False: a layer with a device in it is refused. Default true; without the privilege to make devices they are left out with a warning.</summary>
    public bool Devices { get; init; } = true;

    /// <summary>Anomalies that are otherwise a warning are errors: the same path twice, a file that becomes a directory, a device 0:0.</summary>
    public bool Strict { get; init; }

    /// <summary>
    /// Flat mode alone: where a layer has a directory and the layers below a symbolic link to a directory, the link stays and its target is what is changed.
    /// Default false, as overlayfs has it: a directory in the link's place.
    /// </summary>
    public bool KeepDirectoryLinks { get; init; }

    /// <summary>Bytes of content written, holes not counted. Default 256 GiB.</summary>
    public long MaxBytes { get; init; } = 256L << 30;

    /// <summary>Sum of the sizes that files are said to have, holes counted. Default 1 TiB.</summary>
    public long MaxApparentBytes { get; init; } = 1L << 40;

    /// <summary>Headers in the archive. Default ten million.</summary>
    public long MaxEntries { get; init; } = 10_000_000;

    /// <summary>Names made, parents without an entry included. Default ten million.</summary>
    public long MaxInodes { get; init; } = 10_000_000;

    /// <summary>
    /// Bytes of memory for what must be remembered until the end of a layer: its directories, removals and pending links. Default 64 MiB, enough for
    /// some 300,000 directories.
    /// </summary>
    public long MaxBookkeeping { get; init; } = 64L << 20;

    /// <summary>Null: it is unpacked alone.</summary>
    internal LargeLayers? LargeLayers { get; init; }
}
