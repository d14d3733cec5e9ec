using Gantry.Core.Look.Listings;
using Gantry.Core.Look.Trees;

namespace Gantry.Core.Look.Comparing;

/// <summary>What two images have at a path.</summary>
internal sealed record FilePair(MergedEntry? Before, LayerEntry? BeforeShown, MergedEntry? After, LayerEntry? AfterShown)
{
    /// <summary>Which of two names of a file is its hard link is the archive's choice and no difference.</summary>
    public FileAspects Aspects()
    {
        if (BeforeShown is not { } before || AfterShown is not { } after) return FileAspects.None;
        var (left, right) = (before.Record, after.Record);
        var aspects = left.Kind == right.Kind ? FileAspects.None : FileAspects.Kind;
        if (left.Kind != EntryKind.SymbolicLink && left.Mode != right.Mode) aspects |= FileAspects.Mode;
        if (left.Uid != right.Uid || left.Gid != right.Gid) aspects |= FileAspects.Owner;
        if (left.Modified != right.Modified) aspects |= FileAspects.Modified;
        if (left.Kind != right.Kind) return aspects;
        var isOther = left.Kind switch
        {
            EntryKind.SymbolicLink => !left.Target.AsSpan().SequenceEqual(right.Target),
            EntryKind.HardLink => !before.Link.AsSpan().SequenceEqual(after.Link),
            _ => left.DeviceMajor != right.DeviceMajor || left.DeviceMinor != right.DeviceMinor,
        };
        if (isOther) aspects |= FileAspects.Target;
        var isSame = left.Size == right.Size && (left.Check is { } check ? check == right.Check : right.Check is null && ReferenceEquals(before, after));
        return left.Kind == EntryKind.File && !isSame ? aspects | FileAspects.Content : aspects;
    }
}
