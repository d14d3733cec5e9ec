using Gantry.Core.Look;
using Gantry.Oci;

namespace Gantry.Server.Ui;

/// <summary>What the page that compares was asked for.</summary>
/// <param name="FromText">As somebody typed it; null: nothing.</param>
/// <param name="From">Null where that is neither a tag nor a digest.</param>
/// <param name="AfterFile">Files go on after this one; null: from the start.</param>
/// <param name="AfterPackage">The same of packages.</param>
/// <param name="Show"><c>files</c> or <c>packages</c>: these alone, by pages; null: some of each.</param>
/// <param name="WithTimes">Whether a file differs that has another time and nothing else.</param>
internal sealed record CompareQuery(
    string? FromText, Reference? From, string? ToText, Reference? To, ImagePath? AfterFile, PackagePlace? AfterPackage, string? Show, bool WithTimes)
{
    public bool IsWhole => From is not null && To is not null;

    public bool ShowsConfig => Show is null;

    public bool ShowsPackages => Show != "files";

    public bool ShowsFiles => Show != "packages";

    public static CompareQuery Of(Visit visit)
    {
        var (from, to) = (visit.Query("from")?.Trim(), visit.Query("to")?.Trim());
        return new CompareQuery(from, Read(from), to, Read(to), LookQuery.Path(visit, "file"), PackagePlace.Parse(visit.Query("package")), visit.Query("show"), visit.Query("times") is not null);
    }

    private static Reference? Read(string? text) => Reference.TryParse(text, out var reference) ? reference : null;
}
