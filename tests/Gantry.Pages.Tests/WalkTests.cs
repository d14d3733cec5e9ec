using System.Net;
using Gantry.TestKit;

namespace Gantry.Pages.Tests;

/// <summary>Every page there is, as everybody who may see it; and no page leads anybody where he may not go.</summary>
[Collection(typeof(ShowcaseCollection))]
[Trait("Speed", "Slow")]
public sealed class WalkTests(Showcase showcase, ITestOutputHelper output)
{
    public static TheoryData<string> Visitors => Showcase.Visitors;

    [Theory]
    [MemberData(nameof(Visitors))]
    public async Task Links_OnPagesOfAVisitor_LeadWhereHeMayGo(string visitor)
    {
        var walk = await showcase.WalkAsync(visitor);
        output.WriteLine($"{walk.Count} addresses, {walk.Select(page => page.Kind).Distinct().Count()} kinds");

        // Somebody who is signed in is asked to sign in nowhere.
        var dead = walk.Where(page => (int)page.Reply.Status >= 400 || (visitor != "nobody" && page.Reply.Location?.Contains("signin", StringComparison.Ordinal) == true))
            .Select(page => $"{page.Path} answers {(int)page.Reply.Status}, and {page.From} leads there").ToList();
        Assert.True(dead.Count == 0, string.Join('\n', dead));
    }

    [Fact]
    public async Task Pages_AreAllLinkedToForSomebody()
    {
        var walked = new HashSet<string>(StringComparer.Ordinal);
        foreach (var visitor in Visitors)
        {
            walked.UnionWith((await showcase.WalkAsync(visitor.Data)).Where(page => page.Reply.Status == HttpStatusCode.OK).Select(page => PageRoutes.Of(page.Path) ?? ""));
        }

        Assert.Empty(PageRoutes.All.Except(walked));
    }

    [Theory]
    [MemberData(nameof(Visitors))]
    public async Task Pages_InABrowser_HaveNoFault_AndAxeFindsNone(string visitor)
    {
        // The administrator sees all that there is; the others see less of it.
        var paths = await showcase.PathsAsync(visitor, isEachKind: visitor == "admin");
        var answer = await Chromium.RunAsync("walk", showcase.Registry.Address, await showcase.OpenAsync(visitor),
            new() { ["paths"] = paths, ["mostBytes"] = 100_000 });
        output.WriteLine($"{paths.Count} pages; the heaviest for a first visit: {answer.GetProperty("heaviest")}");
    }
}
