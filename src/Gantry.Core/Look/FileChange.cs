namespace Gantry.Core.Look;

/// <summary>What two files at one path differ in.</summary>
[Flags]
public enum FileAspects
{
    None = 0,

    /// <summary>One is a directory and the other a link.</summary>
    Kind = 1,

    /// <summary>The bytes of a file, by a hash of each; a sparse file counts as changed where it is in another layer.</summary>
    Content = 2,
    Mode = 4,
    Owner = 8,
    Modified = 16,

    /// <summary>Where a link leads to, which device it is.</summary>
    Target = 32,
}

/// <summary>A path at which two images differ.</summary>
/// <param name="Path">In both.</param>
/// <param name="Before">In the first; null where it has nothing there.</param>
/// <param name="After">In the second; null where it has nothing there.</param>
/// <param name="Aspects">What changed; none where one of them has nothing.</param>
public sealed record FileChange(ImagePath Path, ImageFile? Before, ImageFile? After, FileAspects Aspects);

/// <summary>Some of the differences, in the order of a walk through the tree: a directory, then what is in it.</summary>
/// <param name="Changes">In order.</param>
/// <param name="Next">The path to go on after; null at the end. There may be more although this page is not full, or empty: looking took long enough.</param>
public sealed record FileChanges(IReadOnlyList<FileChange> Changes, ImagePath? Next);
