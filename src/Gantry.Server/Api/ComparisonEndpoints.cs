using Gantry.Core.Look;
using Gantry.Oci;

namespace Gantry.Server.Api;

/// <summary>How far two images are known.</summary>
/// <param name="WhyNot">Why nobody can ever look into one of them; null otherwise.</param>
internal sealed record BothLookReply(LookState State, string? WhyNot, IReadOnlyList<LayerReply> Before, IReadOnlyList<LayerReply> After)
{
    public static BothLookReply Of<T>(Compared<T> compared)
        where T : class => new(
        compared.State, compared.WhyNot, [.. compared.Before.Select(LayerReply.Of)], [.. compared.After.Select(LayerReply.Of)]);
}

/// <summary>A setting that two images have otherwise.</summary>
/// <param name="Name"><c>user</c>, <c>cmd</c>, <c>env/NAME</c>, <c>label/NAME</c> …</param>
internal sealed record SettingChangeReply(string Name, string? Before, string? After);

/// <summary>A package that two images have in other versions; empty where one does not have it.</summary>
internal sealed record PackageChangeReply(string Manager, string Name, string? Architecture, IReadOnlyList<string> Before, IReadOnlyList<string> After);

/// <summary>What two images differ in beside their files.</summary>
/// <param name="SharedLayers">How many of their lowest layers are the same; null where one cannot be looked into.</param>
/// <param name="Settings">Of their configs; null as above.</param>
/// <param name="Packages">The first 10,000; null until all layers are ready.</param>
/// <param name="PackageCount">How many there are.</param>
/// <param name="PackageFaults">Lists that could not be read, of both images.</param>
internal sealed record ComparisonReply(
    BothLookReply Look, int? SharedLayers, IReadOnlyList<SettingChangeReply>? Settings, IReadOnlyList<PackageChangeReply>? Packages, int? PackageCount,
    IReadOnlyList<string>? PackageFaults);

/// <summary>A path at which two images differ.</summary>
/// <param name="Before">Null where the first has nothing there.</param>
/// <param name="After">Null where the second has nothing there.</param>
/// <param name="Aspects">What changed: kind, content, mode, owner, modified, target; empty where one of them has nothing.</param>
internal sealed record FileChangeReply(string Path, FileReply? Before, FileReply? After, IReadOnlyList<string> Aspects);

/// <param name="Items">In the order of a walk through the tree; null unless ready. May be fewer than asked for, or none, where more follow.</param>
/// <param name="Next">The path of the next page; null: this is the last.</param>
internal sealed record FileChangesReply(BothLookReply Look, IReadOnlyList<FileChangeReply>? Items, string? Next) : IPaged;

internal static class ComparisonEndpoints
{
    private const int MostPackages = 10_000;
    private const string With = "The other image's tag or digest", Where = "The other image's repository; missing: the same";

    private static readonly FileAspects[] Aspects = [.. Enum.GetValues<FileAspects>().Where(aspect => aspect != FileAspects.None)];

    [EndpointSummary("What another image has otherwise than this one: layers, config, packages")]
    [Query("with", With, Required = true)]
    [Query("withRepository", Where)]
    public static async Task<IResult> CompareImagesAsync(ApiRequest request)
    {
        var (before, after) = Images(request);
        var compared = await request.Service<ImageComparison>().CompareAsync(before, after, request.Aborted) ?? throw Missing(before, after);
        var difference = compared.Value;
        return request.Ok(new ComparisonReply(BothLookReply.Of(compared), difference?.SharedLayers,
            difference?.Settings.Select(setting => new SettingChangeReply(setting.Name, setting.Before, setting.After)).ToList(),
            difference?.Packages?.Take(MostPackages).Select(package =>
                new PackageChangeReply(package.Manager, package.Name, package.Architecture, package.Before, package.After)).ToList(),
            difference?.Packages?.Count, difference?.PackageFaults));
    }

    [EndpointSummary("The files that another image has otherwise than this one")]
    [Query("with", With, Required = true)]
    [Query("withRepository", Where)]
    [Query("ignore", "What is no difference by itself, parted by commas: modified, owner, mode, content, kind, target")]
    public static async Task<IResult> CompareFilesAsync(ApiRequest request)
    {
        var (before, after) = Images(request);
        var (limit, ignored) = (request.Limit(), request.Query<FileAspects>("ignore", TryParseAspects, $"names some of {string.Join(", ", Aspects.Select(Word))}"));
        var compared = await request.Service<ImageComparison>().CompareFilesAsync(
            before, after, FileEndpoints.PathOf(request, "after"), limit, ignored ?? FileAspects.None, request.Aborted) ?? throw Missing(before, after);
        return request.Ok(new FileChangesReply(BothLookReply.Of(compared), compared.Value?.Changes.Select(Of).ToList(),
            request.NextOrNone(limit, compared.Value?.Next?.ToString())));
    }

    private static (ImageName Before, ImageName After) Images(ApiRequest request) => (
        new ImageName(request.Repository, request.Reference),
        new ImageName(request.OtherRepository, request.Query<Reference>("with", Reference.TryParse, "is neither a tag nor a digest")
            ?? throw ApiException.BadRequest("with", "is missing")));

    private static FileChangeReply Of(FileChange change) => new(
        $"{change.Path}", change.Before is { } before ? FileReply.Of(before) : null, change.After is { } after ? FileReply.Of(after) : null,
        [.. Aspects.Where(aspect => change.Aspects.HasFlag(aspect)).Select(Word)]);

    private static bool TryParseAspects(string text, out FileAspects aspects)
    {
        aspects = FileAspects.None;
        foreach (var word in text.Split(','))
        {
            var aspect = Array.Find(Aspects, known => Word(known) == word);
            if (aspect == FileAspects.None) return false;
            aspects |= aspect;
        }

        return true;
    }

    private static string Word(FileAspects aspect) => aspect.ToString().ToLowerInvariant();

    private static ApiException Missing(ImageName before, ImageName after) => ApiException.NotFound(
        $"there is no {before.Repository} with {before.Reference}, or no {after.Repository} with {after.Reference}");
}
