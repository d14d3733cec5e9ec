namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class RuleApiTests(ApiServer server)
{
    [Fact]
    public async Task Rule_NarrowsWhileItIsThere()
    {
        var ns = await server.NewNamespaceAsync();
        var (boss, question) = ("maintainer", $"/explain?account=writer&action=push&repository={ns}/prod-web");
        Assert.True((await server.SendAsync("GET", question, boss)).Is(200)["allowed"].GetBoolean());

        var made = (await server.SendAsync("POST", $"/namespaces/{ns}/rules", boss,
            new { pattern = $"{ns}/prod-*", appliesTo = new[] { "writer", "reader" }, denied = new[] { "push" } })).Is(201);
        var why = (await server.SendAsync("GET", question, boss)).Is(200);
        Assert.False(why["allowed"].GetBoolean());
        Assert.Contains(why["path"].EnumerateArray(), step => step.GetString()!.Contains($"rule {made["id"]}", StringComparison.Ordinal));

        var listed = (await server.PagesAsync($"/namespaces/{ns}/rules", boss)).Single().Single();
        Assert.Equal(made.Json.ToString(), listed.ToString());
        Assert.Equal(made.Header("Location"), $"/api/v1/namespaces/{ns}/rules/{made["id"]}");
        (await server.SendAsync("DELETE", made.Header("Location")!, boss)).Is(204);
        (await server.SendAsync("DELETE", made.Header("Location")!, boss)).Is(404);
        Assert.True((await server.SendAsync("GET", question, boss)).Is(200)["allowed"].GetBoolean());
        Assert.Equal($"rule {made["id"]}", (await server.LastEventAsync("rule.remove", ns)).GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Rule_OfAnotherNamespace_CannotBeRemovedHere()
    {
        var (mine, theirs) = (await server.NewNamespaceAsync(), await server.NewNamespaceAsync());
        var rule = (await server.SendAsync("POST", $"/namespaces/{theirs}/rules", "admin",
            new { pattern = "*", appliesTo = new[] { "writer" }, denied = new[] { "push" } })).Is(201)["id"];
        (await server.SendAsync("DELETE", $"/namespaces/{mine}/rules/{rule}", "maintainer")).Is(404);
        Assert.Single((await server.PagesAsync($"/namespaces/{theirs}/rules")).Single());
    }

    [Fact]
    public async Task Rule_WithFaults_HasAllOfThemNamed()
    {
        var ns = await server.NewNamespaceAsync();
        var refusal = await server.SendAsync("POST", $"/namespaces/{ns}/rules", "admin",
            new { pattern = "UPPER", appliesTo = new[] { "everybody" }, denied = new[] { "fly" } });
        Assert.Equal(["appliesTo", "denied", "pattern"], refusal.Is(400).Faults);
        (await server.SendAsync("POST", $"/namespaces/{ns}/rules", "admin",
            new { pattern = "elsewhere/*", appliesTo = new[] { "writer" }, denied = new[] { "push" } })).Is(400);
        (await server.SendAsync("POST", $"/namespaces/{ns}/rules", "admin",
            new { pattern = "*", appliesTo = Array.Empty<string>(), denied = new object[] { 1 } })).Is(400);
    }

    [Fact]
    public async Task List_PagesToTheEnd_UpToTheMostRulesThereMayBe()
    {
        var ns = await server.NewNamespaceAsync();
        object rule = new { pattern = "*", appliesTo = new[] { "public" }, denied = new[] { "pull" } };
        for (var i = 0; i < 100; i++) (await server.SendAsync("POST", $"/namespaces/{ns}/rules", "admin", rule)).Is(201);
        (await server.SendAsync("POST", $"/namespaces/{ns}/rules", "admin", rule)).Is(409);
        Assert.Equal([40, 40, 20], (await server.PagesAsync($"/namespaces/{ns}/rules?limit=40")).Select(page => page.Count));
    }
}
