using System.Xml.Linq;

namespace Gantry.Oci.Tests;

/// <summary>
/// The direction of the house: who may see whom. A project may also name what it sees through another, never more.
/// </summary>
public sealed class ProjectReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Gantry.Oci"] = [],
        ["Gantry.Layers"] = ["Gantry.Oci"],
        ["Gantry.Storage"] = ["Gantry.Oci"],
        ["Gantry.Core"] = ["Gantry.Storage", "Gantry.Layers"],
        ["Gantry.Server"] = ["Gantry.Core"],
        ["Gantry.Engine"] = ["Gantry.Layers"],
        ["Gantry.Cli"] = ["Gantry.Engine"],
    };

    private static readonly string Root = FindRoot();

    public static TheoryData<string> Projects =>
        [.. Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_SeesOnlyWhatTheHouseAllows(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.Equal(Path.Combine("src", name, $"{name}.csproj"), project);
        Assert.Contains(name, Allowed.Keys);

        var reachable = Reachable(name).ToHashSet();
        Assert.All(Includes(project, "ProjectReference"), path =>
        {
            var target = Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));
            Assert.True(reachable.Contains(target), $"{name} must not refer to {target}");
            Assert.True(File.Exists(Path.Combine(Root, "src", target, $"{target}.csproj")), $"{target} is not in src");
        });
        Assert.Empty(Includes(project, "Reference"));
        Assert.Empty(Load(project).Descendants("Import"));
    }

    [Fact]
    public void Oci_UsesTheBaseLibraryAlone()
    {
        var project = Path.Combine("src", "Gantry.Oci", "Gantry.Oci.csproj");
        Assert.Empty(Includes(project, "PackageReference"));
        Assert.Empty(Includes(project, "FrameworkReference"));

        string[] loaded = [.. typeof(ManifestDocument).Assembly.GetReferencedAssemblies().Select(assembly => assembly.Name!)];
        Assert.All(loaded, assembly => Assert.StartsWith("System.", assembly, StringComparison.Ordinal));

        // What every project gets: analyzers, which reach no output.
        Assert.All(Load("Directory.Build.props").Descendants("PackageReference"),
            package => Assert.Equal("all", package.Attribute("PrivateAssets")?.Value));
    }

    [Fact]
    public void ServerAndEngine_MeetOnlyInOciAndLayers() => Assert.Equal(
        ["Gantry.Layers", "Gantry.Oci"],
        Reachable("Gantry.Server").Intersect(Reachable("Gantry.Cli")).Order(StringComparer.Ordinal));

    private static IEnumerable<string> Reachable(string project) =>
        Allowed[project].SelectMany(next => Reachable(next).Prepend(next)).Distinct();

    private static IEnumerable<string> Includes(string project, string item) =>
        Load(project).Descendants(item).Select(reference => reference.Attribute("Include")?.Value).OfType<string>();

    private static XDocument Load(string path) => XDocument.Load(Path.Combine(Root, path));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Registry.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"no Registry.sln above {AppContext.BaseDirectory}");
    }
}
