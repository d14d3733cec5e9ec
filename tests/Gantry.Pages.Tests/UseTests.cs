using Gantry.TestKit;

namespace Gantry.Pages.Tests;

/// <summary>The pages of an administrator, who has all of them: with the script, with the keyboard, without the script.</summary>
[Collection(typeof(ShowcaseCollection))]
[Trait("Speed", "Slow")]
public sealed class UseTests(Showcase showcase)
{
    [Fact]
    public async Task Tab_ReachesEverything_InOrder_AndOneSeesWhere()
    {
        await Chromium.RunAsync("keyboard", showcase.Registry.Address, null, new() { ["paths"] = new[] { "/signin" } });
        await Chromium.RunAsync("keyboard", showcase.Registry.Address, await showcase.OpenAsync("admin"), new() { ["paths"] = await showcase.PathsAsync("admin") });
    }

    [Fact]
    public async Task WithScript_ContentIsReplaced_SearchAnswers_CopyingAndQuestionsWork()
    {
        await Chromium.RunAsync("script", showcase.Registry.Address, null, new()
        {
            ["account"] = "maintainer", ["password"] = RegistryServer.Password, ["namespace"] = "acme", ["search"] = "acme/w", ["repository"] = "repositories/acme/web",
            ["filters"] = new[] { new[] { "repositories/acme/web", "1.", "latest", "1.2" }, ["namespaces/acme", "web", "multi", "web"] },
        });
    }

    [Fact]
    public async Task Axe_FindsNothing_InWhatIsNoPageOfItsOwn()
    {
        await Chromium.RunAsync("states", showcase.Registry.Address, await showcase.OpenAsync("reader"), new()
        {
            ["refused"] = new object[] { new object[] { "/repositories/none/such", 404 }, new object[] { "/accounts", 403 } }, ["search"] = "acme/w",
        });
    }

    [Fact]
    public async Task Swagger_IsShown_AndTriesRequestsOut()
    {
        await Chromium.RunAsync("swagger", showcase.Registry.Address, await showcase.OpenAsync("admin"), new() { ["path"] = "/api/v1/accounts" });
    }

    [Fact]
    public async Task WithoutScript_SignIn_Menu_Search_AndEveryPage_Work()
    {
        await Chromium.RunAsync("plain", showcase.Registry.Address, null, new()
        {
            ["account"] = "admin", ["password"] = RegistryServer.Password, ["search"] = "acme/w", ["found"] = "repositories/acme/web",
            ["paths"] = await showcase.PathsAsync("admin"),
        });
    }
}
