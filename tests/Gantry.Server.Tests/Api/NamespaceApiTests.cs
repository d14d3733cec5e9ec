using Gantry.TestKit;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class NamespaceApiTests(ApiServer server)
{
    [Fact]
    public async Task Create_ByWhoMayCreate_MakesThemMaintainer()
    {
        var name = server.NewName();
        var made = (await server.SendAsync("POST", "/namespaces", "may", new { name })).Is(201);
        Assert.Equal("private", made.Text("visibility"));
        Assert.Equal($"/api/v1/namespaces/{name}", made.Header("Location"));
        var members = (await server.SendAsync("GET", $"/namespaces/{name}/members", "may")).Is(200)["items"];
        Assert.Equal(1, members.GetArrayLength());
        Assert.Equal(("may", "maintainer"), (members[0].GetProperty("account").GetString(), members[0].GetProperty("role").GetString()));
    }

    [Fact]
    public async Task Create_ByAnAdministrator_HasNoMembers()
    {
        var name = server.NewName();
        (await server.SendAsync("POST", "/namespaces", "admin", new { name, visibility = "public" })).Is(201);
        Assert.Empty((await server.PagesAsync($"/namespaces/{name}/members")).Single());
    }

    [Fact]
    public async Task Create_ByAnybodyElse_IsDeniedAndRecorded()
    {
        var name = server.NewName();
        (await server.SendAsync("POST", "/namespaces", "stan", new { name })).Is(403);
        (await server.SendAsync("GET", $"/namespaces/{name}")).Is(404);
        var denied = (await server.SendAsync("GET", "/events?kind=denied&account=stan&limit=1")).Is(200)["items"][0];
        Assert.StartsWith("createNamespace: ", denied.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_OfATakenName_Conflicts()
    {
        var ns = await server.NewNamespaceAsync();
        (await server.SendAsync("POST", "/namespaces", "admin", new { name = ns })).Is(409);
    }

    [Fact]
    public async Task Hidden_LooksLikeMissing_WhateverIsAsked()
    {
        var (hidden, missing) = (await server.NewNamespaceAsync(), server.NewName("missing"));
        (string Method, string Path, object? Body)[] requests =
        [
            ("GET", "", null), ("PATCH", "", new { visibility = "public" }), ("DELETE", "", null), ("GET", "/members", null),
            ("PUT", "/members/accounts/stan", new { role = "reader" }), ("DELETE", "/members/accounts/stan", null),
            ("PUT", "/members/groups/a/b", new { role = "reader" }), ("DELETE", "/members/groups/a/b", null), ("GET", "/rules", null),
            ("POST", "/rules", new { pattern = "*", appliesTo = new[] { "writer" }, denied = new[] { "push" } }), ("DELETE", "/rules/1", null),
            ("GET", "/robots", null), ("POST", "/robots", new { name = "x", role = "reader" }),
            ("PATCH", "/robots/robot.x.y", new { disabled = true }), ("DELETE", "/robots/robot.x.y", null),
        ];
        foreach (var (method, path, body) in requests)
        {
            var one = (await server.SendAsync(method, $"/namespaces/{hidden}{path}", "stan", body)).Is(404);
            var other = (await server.SendAsync(method, $"/namespaces/{missing}{path}", "stan", body)).Is(404);
            Assert.Equal(one.Text("detail")!.Replace(hidden, "X"), other.Text("detail")!.Replace(missing, "X"));
            Assert.Equal(one.Headers.Select(header => header.Key), other.Headers.Select(header => header.Key));
        }

        Assert.Equal("private", (await server.SendAsync("GET", $"/namespaces/{hidden}")).Is(200).Text("visibility"));
    }

    [Fact]
    public async Task EveryEndpoint_WantsAMaintainer_AndTellsOthersWhy()
    {
        var ns = await server.NewNamespaceAsync("public");
        (string Method, string Path, object? Body)[] requests =
        [
            ("PATCH", "", new { visibility = "private" }), ("DELETE", "", null), ("GET", "/members", null),
            ("PUT", "/members/accounts/stan", new { role = "reader" }), ("DELETE", "/members/accounts/stan", null),
            ("PUT", "/members/groups/a/b", new { role = "reader" }), ("DELETE", "/members/groups/a/b", null), ("GET", "/rules", null),
            ("POST", "/rules", new { pattern = "*", appliesTo = new[] { "writer" }, denied = new[] { "push" } }), ("DELETE", "/rules/1", null),
            ("GET", "/robots", null), ("POST", "/robots", new { name = "x", role = "reader" }),
            ("PATCH", "/robots/robot.x.y", new { disabled = true }), ("DELETE", "/robots/robot.x.y", null),
        ];
        foreach (var (method, path, body) in requests)
        {
            foreach (var (who, has) in new[] { ("stan", "no role"), ("reader", "the role reader"), ("writer", "the role writer") })
            {
                var refusal = (await server.SendAsync(method, $"/namespaces/{ns}{path}", who, body)).Is(403);
                Assert.Equal($"this needs a maintainer of {ns}, or an administrator; {who} has {has} in it", refusal.Text("detail"));
                var denied = await server.LastEventAsync("denied", ns);
                Assert.Equal((who, refusal.Text("requestId")), (denied.GetProperty("account").GetString(), denied.GetProperty("requestId").GetString()));
            }
        }
    }

    [Fact]
    public async Task Get_IsForWhoMaySeeIt()
    {
        var (closed, open) = (await server.NewNamespaceAsync(), await server.NewNamespaceAsync("public"));
        (await server.SendAsync("GET", $"/namespaces/{closed}", "reader")).Is(200);
        (await server.SendAsync("GET", $"/namespaces/{open}", "stan")).Is(200);
        (await server.SendAsync("GET", $"/namespaces/{closed}", "stan")).Is(404);

        var seen = (await server.PagesAsync("/namespaces?limit=1000", "stan")).SelectMany(page => page).Select(item => item.GetProperty("name").GetString());
        Assert.Contains(open, seen);
        Assert.DoesNotContain(closed, seen);
    }

    [Fact]
    public async Task Get_WithTheTagOfWhatIsThere_Answers304()
    {
        var ns = await server.NewNamespaceAsync();
        var tag = (await server.SendAsync("GET", $"/namespaces/{ns}")).Is(200).Header("ETag")!;
        Assert.StartsWith("W/\"", tag, StringComparison.Ordinal);
        (await server.SendAsync("GET", $"/namespaces/{ns}", "admin", null, ("If-None-Match", tag))).Is(304);
        (await server.SendAsync("PATCH", $"/namespaces/{ns}", "maintainer", new { visibility = "public" })).Is(200);
        (await server.SendAsync("GET", $"/namespaces/{ns}", "admin", null, ("If-None-Match", tag))).Is(200);
    }

    [Fact]
    public async Task Change_IsSeenAtOnce_AndRecordedWithWhoAndWhence()
    {
        var ns = await server.NewNamespaceAsync();
        var changed = (await server.SendAsync("PATCH", $"/namespaces/{ns}", "maintainer", new { visibility = "public" })).Is(200);
        Assert.Equal("public", changed.Text("visibility"));
        (await server.SendAsync("GET", $"/namespaces/{ns}", "stan")).Is(200);

        var recorded = await server.LastEventAsync("namespace.change", ns);
        Assert.Equal("maintainer", recorded.GetProperty("account").GetString());
        Assert.Equal("127.0.0.1", recorded.GetProperty("address").GetString());
        Assert.Equal("api-tests/1", recorded.GetProperty("client").GetString());
        Assert.Equal(changed.Header("X-Request-Id"), recorded.GetProperty("requestId").GetString());
        Assert.Equal("public", recorded.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Delete_WithRepositories_Conflicts_AndWithoutAny_Deletes()
    {
        var (full, empty) = (await server.NewNamespaceAsync(), await server.NewNamespaceAsync());
        using var client = server.Server.Client();
        await client.PushImageAsync($"{full}/app", "v1", "layer"u8.ToArray());
        (await server.SendAsync("DELETE", $"/namespaces/{full}", "maintainer")).Is(409);
        (await server.SendAsync("DELETE", $"/namespaces/{empty}", "maintainer")).Is(204);
        (await server.SendAsync("GET", $"/namespaces/{empty}")).Is(404);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task List_PagesToTheEnd_EachOnceAndInOrder(int limit)
    {
        var prefix = server.NewName("page");
        for (var i = 0; i < 7; i++) (await server.SendAsync("POST", "/namespaces", "may", new { name = $"{prefix}-{i}" })).Is(201);
        var pages = await server.PagesAsync($"/namespaces?limit={limit}&after={prefix}-", "may");
        var names = pages.SelectMany(page => page).Select(item => item.GetProperty("name").GetString()!).TakeWhile(name => name.StartsWith(prefix, StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"{prefix}-{i}"), names);
        Assert.All(pages.SkipLast(1), page => Assert.Equal(limit, page.Count));

        var found = (await server.PagesAsync($"/namespaces?limit={limit}&q={prefix.ToUpperInvariant()}-5%20{prefix}", "may")).SelectMany(page => page);
        Assert.Equal([$"{prefix}-5"], found.Select(item => item.GetProperty("name").GetString()));
        Assert.Empty((await server.PagesAsync($"/namespaces?q={prefix}-_", "may")).Single());
        Assert.Empty((await server.PagesAsync($"/namespaces?q={prefix}", "stan")).Single());
    }
}
