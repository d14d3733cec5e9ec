using System.Text.Json;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class TagApiTests(ApiServer server)
{
    [Fact]
    public async Task Tags_HaveDigestSizeAndPlatforms_AndArePagedFilteredAndSorted()
    {
        var ns = await server.NewNamespaceAsync();
        var (repository, path) = ($"{ns}/app", ImageServer.Path($"{ns}/app"));
        var pushed = new Dictionary<string, string>();
        foreach (var tag in new[] { "v1", "v2", "Latest", "v10" }) pushed[tag] = $"{await server.PushFilesAsync(repository, tag, new TarBytes().File("a", tag).End())}";

        var tags = (await server.PagesAsync($"{path}/tags?limit=3", "reader")).SelectMany(page => page).ToList();
        Assert.Equal(["Latest", "v1", "v10", "v2"], tags.Select(Name));
        Assert.All(tags, tag => Assert.Equal(pushed[Name(tag)], tag.GetProperty("digest").GetString()));
        Assert.All(tags, tag => Assert.Equal(["linux/amd64"], tag.GetProperty("platforms").EnumerateArray().Select(one => one.GetString())));
        Assert.All(tags, tag => Assert.True(tag.GetProperty("size").GetInt64() > 500));
        Assert.Equal(["Latest"], (await server.PagesAsync($"{path}/tags?filter=lATE", "reader")).SelectMany(page => page).Select(Name));
        Assert.Equal(["v2", "v10", "v1"], (await server.PagesAsync($"{path}/tags?filter=v&order=desc&limit=1", "reader")).SelectMany(page => page).Select(Name));
        Assert.Equal(["v10", "Latest", "v2", "v1"], (await server.PagesAsync($"{path}/tags?sort=pushed&limit=1", "reader")).SelectMany(page => page).Select(Name));
        Assert.Empty((await server.PagesAsync($"{path}/tags?filter=%3C%27", "reader")).SelectMany(page => page));
        (await server.SendAsync("GET", $"{path}/tags?sort=size&order=asc&limit=1", "reader")).Is(200);
        Assert.Equal(["sort"], (await server.SendAsync("GET", $"{path}/tags?sort=stars", "reader")).Is(400).Faults);

        var one = (await server.SendAsync("GET", $"{path}/tags/v1", "reader")).Is(200);
        Assert.Equal((pushed["v1"], "2026-01-02T03:04:05+00:00"), (one.Text("digest"), one.Text("imageCreatedAt")));
        (await server.SendAsync("GET", $"{path}/tags/none", "reader")).Is(404);
        (await server.SendAsync("GET", $"{path}/tags/-x", "reader")).Is(400);
        foreach (var below in new[] { "/tags", "/tags/v1", "/tags/v1/history", "/tags/v1/deletion" }) (await server.SendAsync("GET", path + below, "stan")).Is(404);
    }

    [Fact]
    public async Task Tag_IsDeletedAsItWasSeen_AndNotOnceItMoved()
    {
        var ns = await server.NewNamespaceAsync();
        var path = $"{ImageServer.Path($"{ns}/app")}/tags/v1";
        using var client = server.Server.Client("admin");
        await client.PushImageAsync($"{ns}/app", "v1", "one"u8.ToArray());
        var seen = (await server.SendAsync("GET", path, "maintainer")).Is(200).Header("ETag")!;
        Assert.Equal(seen, (await server.SendAsync("GET", path, "reader")).Header("ETag"));
        await client.PushImageAsync($"{ns}/app", "v1", "two"u8.ToArray());
        (await server.SendAsync("DELETE", path, "maintainer", null, ("If-Match", seen))).Is(412);
        foreach (var who in new[] { "reader", "writer" }) (await server.SendAsync("DELETE", path, who)).Is(403);
        var now = (await server.SendAsync("GET", path, "maintainer")).Header("ETag")!;
        (await server.SendAsync("DELETE", path, "maintainer", null, ("If-Match", now))).Is(204);
        (await server.SendAsync("DELETE", path, "maintainer")).Is(404);
    }

    [Fact]
    public async Task History_TellsEveryMove_AndATagGoesBackWhereItWas()
    {
        var ns = await server.NewNamespaceAsync();
        var path = $"{ImageServer.Path($"{ns}/app")}/tags/v1";
        using var client = server.Server.Client("admin");
        var first = $"{await client.PushImageAsync($"{ns}/app", "v1", "one"u8.ToArray())}";
        var second = $"{await client.PushImageAsync($"{ns}/app", "v1", "two"u8.ToArray())}";
        (await server.SendAsync("DELETE", path, "maintainer")).Is(204);

        var moves = (await server.PagesAsync($"{path}/history?limit=1", "reader")).SelectMany(page => page).ToList();
        Assert.Equal([(second, null), (first, second), (null, first)], moves.Select(move => (Text(move, "from"), Text(move, "to"))));
        Assert.Equal(["maintainer", "admin", "admin"], moves.Select(move => Text(move, "account")));

        (await server.SendAsync("POST", $"{path}/restore", "reader", new { })).Is(403);
        (await server.SendAsync("POST", $"{path}/restore", "stan", new { })).Is(404);
        Assert.Equal(["v1"], (await server.SendAsync("POST", $"{path}/restore", "writer", new { })).Is(200)["tags"].EnumerateArray().Select(tag => tag.GetString()));
        Assert.Equal(second, (await server.SendAsync("GET", path, "reader")).Text("digest"));
        (await server.SendAsync("POST", $"{path}/restore", "writer", new { })).Is(404);

        (await server.SendAsync("POST", $"{path}/restore", "writer", new { digest = first })).Is(200);
        Assert.Equal(first, (await server.SendAsync("GET", path, "reader")).Text("digest"));
        Assert.Equal("writer", Text((await server.SendAsync("GET", $"{path}/history?limit=1", "reader"))["items"][0], "account"));
        (await server.SendAsync("POST", $"{path}/restore", "writer", new { digest = $"sha256:{new string('0', 64)}" })).Is(404);
        Assert.Equal(["digest"], (await server.SendAsync("POST", $"{path}/restore", "writer", new { digest = "x" })).Is(400).Faults);
    }

    [Fact]
    public async Task Manifest_IsDeletedWithItsTags_AfterSayingWhatThatFrees_AndComesBack()
    {
        var ns = await server.NewNamespaceAsync();
        var path = ImageServer.Path($"{ns}/app");
        using var client = server.Server.Client("admin");
        var digest = await client.PushImageAsync($"{ns}/app", "v1", new byte[10_000]);
        var manifest = $"{path}/manifests/{digest}";
        var freed = (await server.SendAsync("GET", $"{manifest}/deletion", "reader")).Is(200);
        Assert.Equal((1, 1), (freed["manifests"].GetInt32(), freed["tags"].GetInt32()));
        Assert.True(freed["bytes"].GetInt64() > 0);
        Assert.Equal(1, (await server.SendAsync("GET", $"{path}/tags/v1/deletion", "reader")).Is(200)["tags"].GetInt32());

        (await server.SendAsync("DELETE", manifest, "writer")).Is(403);
        (await server.SendAsync("DELETE", manifest, "maintainer")).Is(204);
        foreach (var below in new[] { "", "/deletion" }) (await server.SendAsync("GET", manifest + below, "reader")).Is(404);
        (await server.SendAsync("POST", $"{manifest}/restore", "reader")).Is(403);
        var back = (await server.SendAsync("POST", $"{manifest}/restore", "writer")).Is(200);
        Assert.Equal(["v1"], back["tags"].EnumerateArray().Select(tag => tag.GetString()));
        (await server.SendAsync("POST", $"{manifest}/restore", "writer")).Is(404);
        (await server.SendAsync("DELETE", $"{path}/manifests/v1", "maintainer")).Is(400);
    }

    private static string Name(JsonElement row) => Text(row, "name")!;

    private static string? Text(JsonElement row, string name) => row.GetProperty(name).GetString();
}
