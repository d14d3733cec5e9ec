using System.Text.RegularExpressions;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.Pages.Tests;

/// <summary>Pictures of the main pages, in artifacts/screens; with UPDATE_SCREENS=1 those that the README shows are made anew.</summary>
[Collection(typeof(ShowcaseCollection))]
[Trait("Speed", "Slow")]
public sealed partial class ScreenTests(Showcase showcase)
{
    private const long MostBytes = 150_000;

    private static readonly string Shown = Path.Combine(SourceTree.Root, "src/Gantry.Server/Ui/screens");

    private static readonly string Readme = File.ReadAllText(Path.Combine(SourceTree.Root, "README.md"));

    private static readonly (string Name, string Path)[] Pages =
    [
        ("home", "/"), ("repository", "/repositories/acme/web"), ("image", "/images/acme/web:latest"), ("files", "/files/acme/web:latest?path=etc"),
        ("compare", "/compare/acme/web?from=1.1&to=1.2"), ("history", "/history/acme/web:latest"), ("audit", "/audit"),
    ];

    [Fact]
    public async Task MainPages_HavePictures_LightAndDark()
    {
        var folder = Directory.CreateDirectory(Path.Combine(SourceTree.Root, "artifacts/screens")).FullName;
        await Chromium.RunAsync("screens", showcase.Registry.Address, await showcase.OpenAsync("admin"),
            new() { ["folder"] = folder, ["pages"] = Pages.Select(page => new { name = page.Name, path = page.Path }) });

        foreach (var (name, _) in Pages)
        {
            foreach (var theme in new[] { "light", "dark" })
            {
                var file = new FileInfo(Path.Combine(folder, $"{name}-{theme}.png"));
                Assert.InRange(file.Length, 10_000, MostBytes);
                if (Environment.GetEnvironmentVariable("UPDATE_SCREENS") is { Length: > 0 } && Readme.Contains(file.Name, StringComparison.Ordinal))
                    file.CopyTo(Path.Combine(Directory.CreateDirectory(Shown).FullName, file.Name), overwrite: true);
            }
        }
    }

    [Fact]
    public void Readme_ShowsPicturesThatAreThere_AndAllOfThem()
    {
        var shown = Pictures().Matches(Readme).Select(match => match.Groups[1].Value).Order().ToList();
        Assert.Equal(Directory.GetFiles(Shown, "*.png").Select(Path.GetFileName).Order(), shown);
        Assert.All(Directory.GetFiles(Shown), file => Assert.InRange(new FileInfo(file).Length, 1, MostBytes));
    }

    [GeneratedRegex("\"src/Gantry\\.Server/Ui/screens/([^\"]*)\"")]
    private static partial Regex Pictures();
}
