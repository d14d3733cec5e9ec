using Gantry.Core.Browse;
using Gantry.Core.Look.Comparing;
using Gantry.Core.Look.Trees;
using Gantry.Core.Pull;

namespace Gantry.Core.Look;

/// <summary>
/// An answer about two images. <see cref="Value"/> is there unless files or packages are wanted and a layer is not ready; then the layers say how far they are.
/// </summary>
/// <param name="Before">The first image's layers, the lowest first.</param>
/// <param name="After">The second one's.</param>
/// <param name="Value">Null unless ready.</param>
/// <param name="WhyNot">Why nobody can ever look into one of them; null otherwise.</param>
public sealed record Compared<T>(IReadOnlyList<LookedLayer> Before, IReadOnlyList<LookedLayer> After, T? Value, string? WhyNot) where T : class
{
    /// <inheritdoc cref="Looked{T}.State"/>
    public LookState State => new Looked<T>([.. Before, .. After], null, WhyNot).State;
}

/// <summary>A setting that two images have otherwise.</summary>
/// <param name="Name">See <see cref="ImageSettings.Of"/>.</param>
/// <param name="Before">Null where the first one has none.</param>
/// <param name="After">Null where the second one has none.</param>
public sealed record SettingChange(string Name, string? Before, string? After);

/// <summary>A package that two images have in other versions. Some are there in several at once.</summary>
/// <param name="Manager">See <see cref="ImagePackage"/>.</param>
/// <param name="Name">Of the package.</param>
/// <param name="Architecture">Null where the list does not say.</param>
/// <param name="Before">Empty where the first one does not have it.</param>
/// <param name="After">Empty where the second one does not have it.</param>
public sealed record PackageChange(string Manager, string Name, string? Architecture, IReadOnlyList<string> Before, IReadOnlyList<string> After);

/// <summary>What two images differ in beside their files.</summary>
/// <param name="SharedLayers">How many of their lowest layers are the same.</param>
/// <param name="Settings">Of their configs.</param>
/// <param name="Packages">Null until all layers are ready.</param>
/// <param name="PackageFaults">Lists that could not be read, of both images; null as above.</param>
public sealed record ImageDifference(
    int SharedLayers, IReadOnlyList<SettingChange> Settings, IReadOnlyList<PackageChange>? Packages, IReadOnlyList<string>? PackageFaults);

/// <summary>Holds two images against each other, of one repository or of two.</summary>
public sealed class ImageComparison(LookedImages images, ImagePackages packages, BlobPull pull, ConfigBlobs configs)
{
    /// <summary>The largest page of differences.</summary>
    public const int MaxPage = 1000;

    /// <summary>Layers, configs and packages. The value is there at once; its packages are once all layers are ready.</summary>
    /// <returns>Null where one of the repositories has no such manifest.</returns>
    public async Task<Compared<ImageDifference>?> CompareAsync(ImageName before, ImageName after, CancellationToken cancellationToken)
    {
        if (await OpenAsync(before, after, cancellationToken) is not var (left, right)) return null;
        if ((left.WhyNot ?? right.WhyNot) is { } whyNot) return new Compared<ImageDifference>(left.Layers, right.Layers, null, whyNot);
        var settings = Changes(await SettingsAsync(left, cancellationToken), await SettingsAsync(right, cancellationToken));
        var difference = new ImageDifference(SharedLayers(left, right), settings, null, null);
        if (left.IsReady && right.IsReady)
        {
            var (had, has) = (await packages.ListAsync(left, cancellationToken), await packages.ListAsync(right, cancellationToken));
            difference = difference with { Packages = Changes(had.Packages, has.Packages), PackageFaults = [.. had.Faults.Union(has.Faults)] };
        }

        return new Compared<ImageDifference>(left.Layers, right.Layers, difference, null);
    }

    /// <summary>The files that differ, a page at a time.</summary>
    /// <param name="before">The first image.</param>
    /// <param name="after">The second one.</param>
    /// <param name="start">Only what comes after this path; null: from the start.</param>
    /// <param name="limit">How many, at most <see cref="MaxPage"/>.</param>
    /// <param name="ignored">What is no difference by itself, say <see cref="FileAspects.Modified"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null where one of the repositories has no such manifest.</returns>
    public async Task<Compared<FileChanges>?> CompareFilesAsync(
        ImageName before, ImageName after, ImagePath? start, int limit, FileAspects ignored, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        if (await OpenAsync(before, after, cancellationToken) is not var (left, right)) return null;
        var changes = left.IsReady && right.IsReady ? (await WalkAsync(left, right, start, limit, ignored, cancellationToken)).Changes : null;
        return new Compared<FileChanges>(left.Layers, right.Layers, changes, left.WhyNot ?? right.WhyNot);
    }

    /// <summary>The same of images that are open; says which layers' pages were read, for those who look at that.</summary>
    internal async Task<(FileChanges Changes, LayerPages Before, LayerPages After)> WalkAsync(
        LookedImage left, LookedImage right, ImagePath? start, int limit, FileAspects ignored, CancellationToken cancellationToken)
    {
        var shared = SharedLayers(left, right);
        var (leftPages, rightPages) = (images.Pages(left), images.Pages(right));
        if (shared == left.Layers.Count && shared == right.Layers.Count) return (new FileChanges([], null), leftPages, rightPages);
        var comparison = new TreeComparison(new ComparedTree(new MergedTree(leftPages, left.Layers.Count, withHidden: false)),
            new ComparedTree(new MergedTree(rightPages, right.Layers.Count, withHidden: false)), shared);
        var found = await comparison.RunAsync(start, limit, ignored, cancellationToken);
        var changes = found.ConvertAll(pair => new FileChange((pair.Before ?? pair.After)!.Path,
            pair.Before is null ? null : ImageFile.Of(pair.Before, pair.BeforeShown!, left.Layers),
            pair.After is null ? null : ImageFile.Of(pair.After, pair.AfterShown!, right.Layers), pair.Aspects()));
        return (new FileChanges(changes, comparison.Next), leftPages, rightPages);
    }

    private static int SharedLayers(LookedImage left, LookedImage right) =>
        left.Layers.Zip(right.Layers).TakeWhile(pair => pair.First.Digest == pair.Second.Digest).Count();

    private async Task<IReadOnlyDictionary<string, string>> SettingsAsync(LookedImage image, CancellationToken cancellationToken)
    {
        var blob = image.Document?.Config?.Digest is { } digest ? await pull.FindAsync(image.Repository, digest, renew: false, cancellationToken) : null;
        var config = blob is null ? null : await configs.ReadAsync(blob.Location, blob.Size, cancellationToken);
        return ImageSettings.Of(config is null ? null : ImageConfigReader.Read(config));
    }

    private static List<SettingChange> Changes(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) =>
        [.. before.Keys.Union(after.Keys).Order(StringComparer.Ordinal)
            .Select(name => new SettingChange(name, before.GetValueOrDefault(name), after.GetValueOrDefault(name)))
            .Where(setting => setting.Before != setting.After)];

    private static List<PackageChange> Changes(IReadOnlyList<ImagePackage> before, IReadOnlyList<ImagePackage> after)
    {
        var had = before.ToLookup(package => (package.Manager, package.Name, package.Architecture), package => package.Version);
        var has = after.ToLookup(package => (package.Manager, package.Name, package.Architecture), package => package.Version);
        return [.. had.Select(versions => versions.Key).Union(has.Select(versions => versions.Key))
            .Where(package => !had[package].SequenceEqual(has[package]))
            .OrderBy(package => package.Manager, StringComparer.Ordinal).ThenBy(package => package.Name, StringComparer.Ordinal)
            .ThenBy(package => package.Architecture, StringComparer.Ordinal)
            .Select(package => new PackageChange(package.Manager, package.Name, package.Architecture, [.. had[package]], [.. has[package]]))];
    }

    private async Task<(LookedImage Before, LookedImage After)?> OpenAsync(ImageName before, ImageName after, CancellationToken cancellationToken) =>
        await images.OpenAsync(before.Repository, before.Reference, cancellationToken) is { } left
        && await images.OpenAsync(after.Repository, after.Reference, cancellationToken) is { } right ? (left, right) : null;
}
