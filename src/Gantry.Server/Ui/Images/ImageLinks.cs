using Gantry.Core.Look;
using Gantry.Oci;

namespace Gantry.Server.Ui;

/// <summary>
/// Where the pages about one image are: <c>ImageLinks.Of(repository, tag).Image</c>. Paths below the root, without a slash before them.
/// </summary>
/// <param name="Reference">A tag, or a digest.</param>
/// <param name="Platform">Of an index the image for this one; null: the index, or what the reference names.</param>
public sealed record ImageLinks(RepositoryName Repository, Reference Reference, string? Platform = null)
{
    /// <summary>The first words of all these paths.</summary>
    public static IReadOnlyList<string> Roots { get; } = ["images", "files", "file", "packages", "compare", "documents"];

    /// <summary>As a client is told it, without the registry before it.</summary>
    public string Name => $"{Repository}{(Reference.Tag is null ? '@' : ':')}{Reference}";

    /// <summary>Platforms, layers, history, config, what refers to it.</summary>
    public string Image => At("images");

    /// <summary>The manifest and the config as they were pushed.</summary>
    public string Documents => At("documents");

    public string Packages => At("packages");

    /// <summary>Where one chooses what to compare it with.</summary>
    public string Compare => $"compare/{Repository}{Query(("to", Reference.ToString()), ("platform", Platform))}";

    public static ImageLinks Of(RepositoryName repository, Reference reference, string? platform = null) => new(repository, reference, platform);

    /// <summary>What changed from one image to another one of the same repository.</summary>
    public static string Difference(RepositoryName repository, Reference from, Reference to, string? platform = null) =>
        $"compare/{repository}{Query(("from", from.ToString()), ("to", to.ToString()), ("platform", platform))}";

    /// <summary>A directory of it.</summary>
    /// <param name="layer">What this layer alone has there, by its number from 1; null: what the image shows.</param>
    public string Files(string path = "", int? layer = null) => At("files", ("path", path), ("layer", layer?.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>Something in it that is no directory.</summary>
    /// <param name="layer">As above.</param>
    public string File(string path, int? layer = null) => At("file", ("path", path), ("layer", layer?.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>Whichever of the two pages shows this.</summary>
    internal string To(ImageFile file, int? layer = null) =>
        file.Kind == EntryKind.Directory ? Files(file.Path.ToString(), layer) : File(file.Path.ToString(), layer);

    /// <summary>Another page of what <paramref name="path"/> shows.</summary>
    internal static string With(string path, string name, string? value) =>
        value is null ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{name}={Uri.EscapeDataString(value)}";

    private static string Query(params ReadOnlySpan<(string Name, string? Value)> values)
    {
        var query = "";
        foreach (var (name, value) in values)
        {
            if (value is { Length: > 0 }) query = With(query, name, value);
        }

        return query;
    }

    private string At(string root, params ReadOnlySpan<(string Name, string? Value)> values) => $"{root}/{Name}{Query([("platform", Platform), .. values])}";
}
