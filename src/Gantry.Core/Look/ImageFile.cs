using Gantry.Core.Look.Listings;
using Gantry.Core.Look.Trees;
using Gantry.Oci;

namespace Gantry.Core.Look;

/// <summary>Something in an image, or in a layer.</summary>
public sealed record ImageFile
{
    public required ImagePath Path { get; init; }

    /// <summary>A hard link says what the file is that it is another name of, or <see cref="EntryKind.HardLink"/> where there is none.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>Permission bits, 07777 at most.</summary>
    public uint Mode { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    /// <summary>Of a file in bytes; null for anything else.</summary>
    public long? Size { get; init; }

    /// <summary>Null where it is no time that a calendar has.</summary>
    public DateTimeOffset? Modified { get; init; }

    /// <summary>Of a symbolic link as it stands there, as <see cref="ByteText"/> has it; null for anything else.</summary>
    public string? Target { get; init; }

    /// <summary>Of a hard link the path that it names, in the same way; null for anything else.</summary>
    public string? HardLink { get; init; }

    /// <summary>Of a device: major and minor number.</summary>
    public (uint Major, uint Minor)? Device { get; init; }

    /// <summary>A directory in which nothing of the layers below is seen.</summary>
    public bool IsOpaque { get; init; }

    /// <summary>The layer that put it there, by its place from 0; of a directory that whose metadata it has.</summary>
    public required int Layer { get; init; }

    /// <summary>Its blob.</summary>
    public required Digest LayerDigest { get; init; }

    /// <summary>What the layers below have at this path and is not seen, from the top down.</summary>
    public IReadOnlyList<HiddenFile> Hidden { get; init; } = [];

    /// <summary>The layer that removed it; null: it is there.</summary>
    public int? RemovedBy { get; init; }

    internal static ImageFile Of(MergedEntry merged, LayerEntry shown, IReadOnlyList<LookedLayer> layers)
    {
        var (record, link) = (shown.Record, merged.Entry.Link);
        return new ImageFile
        {
            Path = merged.Path,
            Kind = record.Kind,
            Mode = record.Mode,
            Uid = record.Uid,
            Gid = record.Gid,
            Size = record.Kind == EntryKind.File ? record.Size : null,
            Modified = TimeOf(record.Modified.Seconds, record.Modified.Nanoseconds),
            Target = record.Kind == EntryKind.SymbolicLink ? ByteText.Of(record.Target) : null,
            HardLink = link is null ? null : ByteText.Of(link),
            Device = record.Kind is EntryKind.CharacterDevice or EntryKind.BlockDevice ? (record.DeviceMajor, record.DeviceMinor) : null,
            IsOpaque = merged.Entry.IsOpaque,
            Layer = merged.Layer,
            LayerDigest = layers[merged.Layer].Digest,
            RemovedBy = merged.RemovedBy,
            Hidden = [.. merged.Hidden.Select(hidden => new HiddenFile(
                hidden.Layer, layers[hidden.Layer].Digest, hidden.Entry.Kind, hidden.Entry.Kind == EntryKind.File ? hidden.Entry.Record.Size : null, hidden.By))],
        };
    }

    private static DateTimeOffset? TimeOf(long seconds, int nanoseconds) =>
        seconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds() && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / 100) : null;
}

/// <summary>What a layer has and another one hides.</summary>
/// <param name="Layer">Who has it, by its place from 0.</param>
/// <param name="LayerDigest">Its blob.</param>
/// <param name="Kind">What it is there.</param>
/// <param name="Size">Of a file, in bytes.</param>
/// <param name="By">The layer that hides it.</param>
public sealed record HiddenFile(int Layer, Digest LayerDigest, EntryKind Kind, long? Size, int By);

/// <summary>A page of a directory's names, in the order of their bytes.</summary>
/// <param name="Directory">The directory itself.</param>
/// <param name="Files">What is in it.</param>
/// <param name="Next">The path to go on after; null at the end. There may be more although this page is not full, or nothing more although it is.</param>
public sealed record DirectoryListing(ImageFile Directory, IReadOnlyList<ImageFile> Files, ImagePath? Next);
