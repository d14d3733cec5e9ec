namespace Gantry.Core.Look.Packages;

/// <summary>One list of packages in a layer, as it stands in <c>layer_listings.packages</c>: an array of these.</summary>
/// <param name="Path">Where the list is, as <see cref="ImagePath"/> has it in text.</param>
/// <param name="Packages">In the list's order.</param>
/// <param name="Fault">Why it was not read, or not to its end; null where all is well.</param>
internal sealed record PackageFile(string Path, IReadOnlyList<ImagePackage> Packages, string? Fault);

/// <summary>Takes the content of a list as it comes, and then says what is in it.</summary>
internal interface IPackageList
{
    /// <summary>All of it once <see cref="Finish"/> was called, what is before the damage in a damaged list.</summary>
    FoundPackages Found { get; }

    void Add(ReadOnlySpan<byte> content);

    /// <exception cref="InvalidDataException">It is no such list, or a damaged one.</exception>
    void Finish();
}
