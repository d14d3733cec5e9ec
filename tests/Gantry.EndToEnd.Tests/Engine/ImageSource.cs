using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Engine;

/// <summary>
/// An image on disk: the layout's image "latest", or a containers "dir:". Those of tests/images/make, or all that lie below the folder that
/// GANTRY_EQUALITY_IMAGES names, in any depth.
/// </summary>
internal sealed record ImageSource(string Name, string Folder)
{
    private static readonly string[] Fixture =
        ["tiny", "debian", "multi", "zstd", "python", "nginx", "edge", "links", "sparse", "artifact", "dotnet", "schema2"];

    private static string? Elsewhere => Environment.GetEnvironmentVariable("GANTRY_EQUALITY_IMAGES") is { Length: > 0 } folder ? folder : null;

    /// <summary>Of images that are not ours nothing is known: a known difference may be there or not.</summary>
    public static bool AreOurs => Elsewhere is null;

    public static IEnumerable<string> Names => Elsewhere is { } folder ? Below(folder).Select(source => source.Name) : Fixture;

    public static ImageSource Find(ImageSet images, string name) =>
        Elsewhere is { } folder ? Below(folder).Single(source => source.Name == name) : new ImageSource(name, images.Folder(name));

    private bool IsLayout => File.Exists(Path.Combine(Folder, "index.json"));

    /// <summary>As containers' tools write it.</summary>
    public string Transport => IsLayout ? $"oci:{Folder}:latest" : $"dir:{Folder}";

    /// <summary>umoci reads layouts, and of those manifests alone.</summary>
    public bool IsForUmoci => IsLayout && Latest() is { } latest && latest.EndsWith("image.manifest.v1+json", StringComparison.Ordinal);

    private static IEnumerable<ImageSource> Below(string folder) =>
        from file in Directory.EnumerateFiles(folder, "*.json", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 })
        where Path.GetFileName(file) is "index.json" or "manifest.json"
        let source = new ImageSource(Path.GetRelativePath(folder, Path.GetDirectoryName(file)!), Path.GetDirectoryName(file)!)
        where source.IsImage()
        orderby source.Name
        select source;

    // A chart or an SBOM has no root filesystem.
    private bool IsImage()
    {
        if (!IsLayout) return true;
        if (Latest() is not { } type) return false;
        return type.Contains("index", StringComparison.Ordinal) || ConfigOfLatest().Contains("image", StringComparison.Ordinal);
    }

    private string? Latest() => Entry()?["mediaType"]!.GetValue<string>();

    private string ConfigOfLatest() => Read(Path.Combine("blobs", Entry()!["digest"]!.GetValue<string>().Replace(':', '/')))["config"]!["mediaType"]!.GetValue<string>();

    private JsonNode? Entry() => Read("index.json")["manifests"]!.AsArray()
        .FirstOrDefault(entry => (string?)entry!["annotations"]?["org.opencontainers.image.ref.name"] == "latest");

    private JsonNode Read(string path) => JsonNode.Parse(File.ReadAllBytes(Path.Combine(Folder, path)))!;
}
