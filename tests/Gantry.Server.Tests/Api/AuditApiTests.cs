using Gantry.Server.Tests.Auth;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class AuditApiTests(ApiServer server)
{
    [Fact]
    public async Task Events_AreForAdministrators_AndOfTheirNamespaceForMaintainers()
    {
        var (ns, other) = (await server.NewNamespaceAsync(), await server.NewNamespaceAsync("public"));
        (await server.SendAsync("DELETE", $"/namespaces/{other}/members/accounts/maintainer")).Is(204);
        (await server.SendAsync("GET", "/events")).Is(200);
        var mine = (await server.SendAsync("GET", $"/events?namespace={ns}&limit=1000", "maintainer")).Is(200)["items"];
        Assert.All(mine.EnumerateArray(), one => Assert.Equal(ns, one.GetProperty("namespace").GetString()));
        Assert.Contains(mine.EnumerateArray(), one => one.GetProperty("kind").GetString() == "namespace.create");
        (await server.SendAsync("GET", "/events", "maintainer")).Is(403);
        (await server.SendAsync("GET", $"/events?namespace={ns}", "writer")).Is(403);
        (await server.SendAsync("GET", $"/events?namespace={other}", "maintainer")).Is(403);
        (await server.SendAsync("GET", $"/events?namespace={ns}", "stan")).Is(404);
        (await server.SendAsync("GET", $"/events?namespace={other}&namespace={ns}", "maintainer")).Is(403);
    }

    [Fact]
    public async Task Events_PageToTheEnd_NewestFirstAndFiltered()
    {
        var ns = await server.NewNamespaceAsync();
        for (var i = 0; i < 4; i++)
            (await server.SendAsync("PATCH", $"/namespaces/{ns}", "admin", new { visibility = i % 2 == 0 ? "public" : "private" })).Is(200);
        var pages = await server.PagesAsync($"/events?namespace={ns}&kind=namespace.change&limit=3");
        Assert.Equal([3, 1], pages.Select(page => page.Count));
        var ids = pages.SelectMany(page => page).Select(one => one.GetProperty("id").GetInt64()).ToList();
        Assert.Equal(ids.OrderDescending(), ids);
        Assert.All(pages.SelectMany(page => page), one => Assert.Equal("namespace.change", one.GetProperty("kind").GetString()));
    }

    [Fact]
    public async Task Events_OfDays_AreThoseFromTheFirstToTheEndOfTheLast()
    {
        var ns = await server.NewNamespaceAsync();
        // Before all that this server knows.
        await server.Server.ExecuteAsync(
            $"""
             INSERT INTO events (id, kind, namespace, detail, at) OVERRIDING SYSTEM VALUE
             SELECT n - 10, 'denied', '{ns}', n::text, '2020-02-27T23:59:59Z'::timestamptz + n * interval '1 day' FROM generate_series(1, 4) n
             """);
        Assert.Equal(["2", "1"], await DetailsAsync("from=2020-02-28&until=2020-02-29"));
        Assert.Equal(["4", "3"], await DetailsAsync("from=2020-03-01&until=2020-03-02"));
        Assert.Equal(["1"], await DetailsAsync("until=2020-02-28"));
        Assert.Empty(await DetailsAsync("from=2020-02-29&until=2020-02-28"));
        Assert.Equal(["until"], (await server.SendAsync("GET", "/events?until=2020-02-30")).Is(400).Faults);
        Assert.Equal(["from"], (await server.SendAsync("GET", "/events?from=2020-02-01T00:00:00Z")).Is(400).Faults);

        async Task<IEnumerable<string?>> DetailsAsync(string days) => (await server.SendAsync("GET", $"/events?kind=denied&namespace={ns}&{days}")).Is(200)["items"]
            .EnumerateArray().Select(one => one.GetProperty("detail").GetString());
    }
}
