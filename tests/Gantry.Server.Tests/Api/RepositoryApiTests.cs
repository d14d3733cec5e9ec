using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class RepositoryApiTests(ApiServer server)
{
    [Fact]
    public async Task Repositories_ArePagedSearchedAndSorted_AndOnlyThoseThatMayBePulled()
    {
        var (ns, other) = (await server.NewNamespaceAsync(), server.NewName("hidden"));
        (await server.SendAsync("POST", "/namespaces", "may", new { name = other })).Is(201);
        string[] names = ["alpha", "beta", "gamma/alpha", "zeta"];
        foreach (var name in names) await PushAsync($"{ns}/{name}", name);
        await PushAsync($"{other}/alpha", "alpha");

        foreach (var (query, found) in new (string, string[])[]
        {
            ("", names), ("&q=ALPHA", ["alpha", "gamma/alpha"]), ("&q=alpha%20gamma", ["gamma/alpha"]), ("&order=desc", [.. Enumerable.Reverse(names)]),
            ("&q=%3Cb%3E", []), ("&sort=name&q=eta", ["beta", "zeta"]),
        })
        {
            var pages = await server.PagesAsync($"/repositories?namespace={ns}&limit=1{query}", "reader");
            Assert.Equal(found, pages.SelectMany(page => page).Select(Name).Select(name => name[(ns.Length + 1)..]));
            Assert.All(pages, page => Assert.True(page.Count <= 1));
        }

        // What these go by is made of events, moments after the push.
        foreach (var sort in new[] { "size", "pushed", "pulled" })
        {
            for (var left = 600; (await server.SendAsync("GET", $"/repositories?namespace={ns}&sort={sort}", "reader"))["items"].GetArrayLength() < names.Length; left--)
            {
                Assert.True(left > 0, $"the listing by {sort} is never whole");
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }

            var sorted = (await server.PagesAsync($"/repositories?namespace={ns}&limit=3&sort={sort}", "reader")).SelectMany(page => page).Select(Name);
            Assert.Equal(names.Select(name => $"{ns}/{name}"), sorted.Order());
        }

        Assert.Equal([$"{other}/alpha"], (await server.PagesAsync($"/repositories?namespace={other}", "may")).SelectMany(page => page).Select(Name));
        Assert.Empty((await server.PagesAsync($"/repositories?namespace={other}", "reader")).SelectMany(page => page));
        Assert.DoesNotContain((await server.PagesAsync("/repositories?q=alpha", "stan")).SelectMany(page => page), row => Name(row).StartsWith(ns, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sort=stars", "sort")]
    [InlineData("order=up", "order")]
    [InlineData("namespace=A/B", "namespace")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("q=a%00b", "q")]
    public async Task Repositories_WithAStrangeQuery_SayWhatIsWrong(string query, string fault) =>
        Assert.Equal([fault], (await server.SendAsync("GET", $"/repositories?{query}", "reader")).Is(400).Faults);

    [Fact]
    public async Task Places_ThatNoListingSaid_AreRefused()
    {
        var path = ImageServer.Path($"{await server.NewNamespaceAsync()}/app");
        (await server.SendAsync("GET", "/repositories?sort=size&after=x", "reader")).Is(400);
        (await server.SendAsync("GET", $"{path}/deleted?after=x", "reader")).Is(400);
        (await server.SendAsync("GET", $"{path}/tags?sort=pushed&after=x", "reader")).Is(400);
    }

    [Fact]
    public async Task Repository_IsSeenByWhoMayPull_AndIsNotThereToAnybodyElse()
    {
        var ns = await server.NewNamespaceAsync();
        await PushAsync($"{ns}/app", "content");
        var path = ImageServer.Path($"{ns}/app");
        var read = (await server.SendAsync("GET", path, "reader")).Is(200);
        Assert.Equal(($"{ns}/app", "private"), (read.Text("name"), read.Text("visibility")));
        Assert.Equal(304, (int)(await server.SendAsync("GET", path, "reader", null, ("If-None-Match", read.Header("ETag")!))).Status);

        // Word for word the same for what is there and what is not.
        var there = (await server.SendAsync("GET", path, "stan")).Is(404).Text("detail")!;
        var missing = (await server.SendAsync("GET", ImageServer.Path($"{ns}/none"), "stan")).Is(404).Text("detail")!;
        Assert.Equal(there.Replace("/app", "/none"), missing);
        Assert.Equal(there.Replace("stan", "reader").Replace("/app", "/none"),
            (await server.SendAsync("GET", ImageServer.Path($"{ns}/none"), "reader")).Is(404).Text("detail"));
        (await server.SendAsync("GET", path, null)).Is(401);
        (await server.SendAsync("GET", ImageServer.Path($"{ns}/none"), null)).Is(401);
        (await server.SendAsync("GET", ImageServer.Path("Not A Name"), "admin")).Is(404);
        (await server.SendAsync("GET", ImageServer.Path("Not A Name"), null)).Is(401);
        Assert.Contains("getRepository", (await server.LastEventAsync("denied", ns)).GetProperty("detail").GetString());
    }

    [Fact]
    public async Task PublicRepository_IsSeenWithoutAnAccount_AndChangedByNobody()
    {
        var ns = await server.NewNamespaceAsync("public");
        await PushAsync($"{ns}/app", "content");
        var path = ImageServer.Path($"{ns}/app");
        foreach (var below in new[] { "", "/tags", "/tags/v1", "/manifests/v1", "/usage", "/tags/v1/history", "/manifests/v1/referrers" })
            (await server.SendAsync("GET", path + below, null)).Is(200);
        Assert.Equal([$"{ns}/app"], (await server.SendAsync("GET", $"/repositories?namespace={ns}", null)).Is(200)["items"].EnumerateArray().Select(Name));
        (await server.SendAsync("DELETE", $"{path}/tags/v1", null)).Is(401);
        (await server.SendAsync("PUT", $"{path}/readme", null, new { markdown = "x" })).Is(401);
        (await server.SendAsync("POST", $"{path}/tags/v1/restore", null, new { })).Is(401);
        (await server.SendAsync("DELETE", $"{path}/tags/v1", "stan")).Is(403);
    }

    [Fact]
    public async Task Token_ForOneRepository_SeesThatOneAlone()
    {
        var ns = await server.NewNamespaceAsync();
        await PushAsync($"{ns}/app", "a");
        await PushAsync($"{ns}/web", "b");
        var token = ApiServer.Bearer(await server.NewTokenAsync("self", "writer", $"repository:{ns}/app:pull", "api:*"));
        (await server.SendAsync("GET", ImageServer.Path($"{ns}/app"), token)).Is(200);
        (await server.SendAsync("GET", ImageServer.Path($"{ns}/web"), token)).Is(404);
        (await server.SendAsync("POST", $"{ImageServer.Path($"{ns}/app")}/tags/v1/restore", token, new { })).Is(403);
        Assert.Equal([$"{ns}/app"], (await server.PagesAsync($"/repositories?namespace={ns}", token)).SelectMany(page => page).Select(Name));
    }

    [Fact]
    public async Task Deletion_SaysWhatItFrees_TakesAll_AndIsTakenBackWithTheTags()
    {
        var ns = await server.NewNamespaceAsync();
        var repository = $"{ns}/app";
        var path = ImageServer.Path(repository);
        using var client = server.Server.Client("admin");
        var image = await client.PushImageAsync(repository, "image", "one"u8.ToArray());
        var size = RegistryClient.ImageJson(["one"u8.ToArray()]).Length;
        await client.PushManifestAsync(repository, "index", RegistryClient.IndexJson((MediaTypes.OciManifest, image, size)), MediaTypes.OciIndex);
        (await server.SendAsync("DELETE", $"{path}/manifests/{image}", "maintainer")).Is(409);
        (await server.SendAsync("DELETE", $"{path}/tags/image", "maintainer")).Is(204);

        var freed = (await server.SendAsync("GET", $"{path}/deletion", "reader")).Is(200);
        Assert.Equal(2, freed["manifests"].GetInt32());
        Assert.True(freed["bytes"].GetInt64() >= size + 3);
        foreach (var who in new[] { "reader", "writer" }) (await server.SendAsync("DELETE", path, who)).Is(403);
        (await server.SendAsync("DELETE", path, "stan")).Is(404);

        await client.PushManifestAsync(repository, "again", RegistryClient.ImageJson(["one"u8.ToArray()]));
        var gone = (await server.SendAsync("DELETE", path, "maintainer")).Is(200);
        Assert.Equal(2, gone["manifests"].GetInt32());
        Assert.Empty((await server.SendAsync("GET", $"{path}/tags", "reader")).Is(200)["items"].EnumerateArray());
        Assert.Empty((await server.PagesAsync($"/repositories?namespace={ns}", "reader")).SelectMany(page => page));
        Assert.Equal(0, (await server.SendAsync("DELETE", path, "maintainer")).Is(200)["manifests"].GetInt32());

        var deleted = (await server.PagesAsync($"{path}/deleted?limit=2", "reader")).SelectMany(page => page).ToList();
        Assert.Equal(["manifest", "manifest", "tag", "tag", "tag"], deleted.Select(row => row.GetProperty("kind").GetString()));
        Assert.Equal(["again", "image", "index"], deleted.Skip(2).Select(Name));

        (await server.SendAsync("POST", $"{path}/restore", "reader", new { })).Is(403);
        var back = (await server.SendAsync("POST", $"{path}/restore", "writer", new { since = gone.Text("since") })).Is(200);
        Assert.Equal((2, 2), (back["manifests"].GetInt32(), back["tags"].GetInt32()));
        Assert.Equal(["again", "index"], (await server.SendAsync("GET", $"{path}/tags", "reader")).Is(200)["items"].EnumerateArray().Select(Name));
        Assert.Equal(0, (await server.SendAsync("POST", $"{path}/restore", "writer", new { })).Is(200)["manifests"].GetInt32());
        (await server.SendAsync("DELETE", ImageServer.Path($"{ns}/none"), "maintainer")).Is(404);
    }

    [Fact]
    public async Task Blob_ThatWasDeletedByItself_IsRestored()
    {
        var ns = await server.NewNamespaceAsync();
        using var client = server.Server.Client("admin");
        var digest = await client.PushBlobAsync($"{ns}/app", "alone"u8.ToArray());
        var (blob, restore) = ($"/v2/{ns}/app/blobs/{digest}", $"{ImageServer.Path($"{ns}/app")}/blobs/{digest}/restore");
        (await server.SendAsync("POST", restore, "writer")).Is(404);
        using (var deleted = await client.DeleteAsync(blob)) Assert.Equal(202, (int)deleted.StatusCode);
        (await server.SendAsync("POST", restore, "reader")).Is(403);
        (await server.SendAsync("POST", restore.Replace("sha256", "md5"), "writer")).Is(400);
        Assert.Equal($"{digest}", (await server.SendAsync("POST", restore, "writer")).Is(200)["blobs"][0].GetString());
        Assert.Equal("alone", await client.GetStringAsync(blob));
    }

    [Fact]
    public async Task Usage_IsCountedNow_AndOfANamespaceForItsMaintainers()
    {
        var ns = await server.NewNamespaceAsync();
        using var client = server.Server.Client("admin");
        var (shared, own) = (new byte[5000], "its own"u8.ToArray());
        await client.PushImageAsync($"{ns}/a", "v1", shared, own);
        await client.PushImageAsync($"{ns}/b", "v1", shared);
        var usage = (await server.SendAsync("GET", $"{ImageServer.Path($"{ns}/a")}/usage", "reader")).Is(200);
        var (size, alone) = (usage["size"].GetInt64(), usage["own"].GetInt64());
        Assert.Equal(size, alone + usage["shared"].GetInt64());
        Assert.True(alone < 5000 && usage["shared"].GetInt64() >= 5000);
        (await server.SendAsync("GET", $"/namespaces/{ns}/usage", "reader")).Is(403);
        Assert.Equal(2, (await server.SendAsync("GET", $"/namespaces/{ns}/usage", "maintainer")).Is(200)["repositories"].GetInt64());
    }

    private static string Name(JsonElement row) => row.GetProperty("name").GetString()!;

    private async Task PushAsync(string repository, string content)
    {
        using var client = server.Server.Client("admin");
        await client.PushImageAsync(repository, "v1", System.Text.Encoding.UTF8.GetBytes(content));
    }
}
