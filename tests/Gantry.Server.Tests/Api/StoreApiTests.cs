using System.Net;
using System.Text.Json;
using Gantry.Core.Browse;
using Gantry.Core.GarbageCollection;
using Gantry.Server.Tests.Auth;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class StoreApiTests(ApiServer server)
{
    [Theory]
    [InlineData("GET", "/usage")]
    [InlineData("GET", "/usage/namespaces")]
    [InlineData("GET", "/usage/samples")]
    [InlineData("GET", "/nodes")]
    [InlineData("GET", "/gc")]
    [InlineData("GET", "/gc/preview")]
    [InlineData("POST", "/gc/runs")]
    public async Task Store_IsForAdministrators(string method, string path)
    {
        foreach (var who in new[] { "maintainer", "stan" }) (await server.SendAsync(method, path, who)).Is(403);
        (await server.SendAsync(method, path, null)).Is(401);
    }

    [Fact]
    public async Task Usage_SamplesAndNodes_AreTold()
    {
        var ns = await server.NewNamespaceAsync();
        await server.Get<StorageSamples>().TakeAsync(TestContext.Current.CancellationToken);
        await server.Get<NodeList>().BeatAsync(TestContext.Current.CancellationToken);
        var usage = (await server.SendAsync("GET", "/usage")).Is(200);
        Assert.True(usage["sample"].GetProperty("bytes").GetInt64() >= 0);
        Assert.Contains(ns, (await server.PagesAsync("/usage/namespaces?limit=2")).SelectMany(page => page).Select(row => row.GetProperty("name").GetString()));
        Assert.NotEmpty((await server.SendAsync("GET", "/usage/samples?points=10")).Is(200)["items"].EnumerateArray());
        Assert.Empty((await server.SendAsync("GET", "/usage/samples?from=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z")).Is(200)["items"].EnumerateArray());
        Assert.Contains("running", (await server.PagesAsync("/nodes?limit=1")).SelectMany(page => page).Select(row => row.GetProperty("health").GetString()));
    }

    [Theory]
    [InlineData("points=0", "points")]
    [InlineData("points=1001", "points")]
    [InlineData("from=yesterday", "from")]
    [InlineData("from=2026-01-02T00:00:00", "from")]
    [InlineData("from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "from")]
    [InlineData("until=0001-01-01T00:00:00Z", "from")]
    [InlineData("from=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z", "from")]
    public async Task Samples_WithAStrangeQuery_SayWhatIsWrong(string query, string fault) =>
        Assert.Equal([fault], (await server.SendAsync("GET", $"/usage/samples?{query}")).Is(400).Faults);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task GarbageCollection_SaysItsState_PreviewsAndRuns()
    {
        var ns = await server.NewNamespaceAsync();
        using var client = server.Server.Client("admin");
        var digest = await client.PushImageAsync($"{ns}/app", "v1", "layer"u8.ToArray());
        (await server.SendAsync("DELETE", $"{ImageServer.Path($"{ns}/app")}/manifests/{digest}", "maintainer")).Is(204);
        var state = (await server.SendAsync("GET", "/gc")).Is(200);
        Assert.Equal(24 * 3600, state["graceSeconds"].GetInt64());
        Assert.True(state["waiting"].GetProperty("manifests").GetInt32() >= 1);
        (await server.SendAsync("GET", "/gc/preview")).Is(200);

        var run = (await server.SendAsync("POST", "/gc/runs")).Is(202);
        Assert.Equal("/api/v1/gc", run.Header("Location"));
        for (var left = 600; (await server.SendAsync("GET", "/gc"))["isRunning"].GetBoolean(); left--)
        {
            Assert.True(left > 0, "the run never ends");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        Assert.StartsWith("done", (await server.LastEventAsync("gc.run")).GetProperty("detail").GetString(), StringComparison.Ordinal);
        // What is within its grace stays.
        (await server.SendAsync("POST", $"{ImageServer.Path($"{ns}/app")}/manifests/{digest}/restore", "writer")).Is(200);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task GarbageCollection_AskedForOnTwoNodes_RunsOnce_AndEachNodeTells()
    {
        await using var other = await server.Server.AnotherNodeAsync("Gc:MaxShare=1");
        using var client = other.Client();
        await using (await server.Get<AskedRun>().TryBeginAsync(TestContext.Current.CancellationToken))
        {
            Assert.True(await IsRunningAsync(client));
            Assert.True((await server.SendAsync("GET", "/gc"))["isRunning"].GetBoolean());
            (await server.SendAsync("POST", "/gc/runs")).Is(409);
            using var refused = await client.PostAsync("/api/v1/gc/runs", null);
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        }

        Assert.False(await IsRunningAsync(client));
        using (var begun = await client.PostAsync("/api/v1/gc/runs", null)) Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await UntilDoneAsync();
        Assert.StartsWith("done", (await server.LastEventAsync("gc.run")).GetProperty("detail").GetString(), StringComparison.Ordinal);

        // A node that is killed says nothing: its connections are gone.
        await using (await other.Services.GetRequiredService<AskedRun>().TryBeginAsync(TestContext.Current.CancellationToken))
        {
            Assert.True((await server.SendAsync("GET", "/gc"))["isRunning"].GetBoolean());
            await server.Server.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = x'67637275'::bigint");
            await UntilDoneAsync();
        }

        async Task UntilDoneAsync()
        {
            for (var left = 600; (await server.SendAsync("GET", "/gc"))["isRunning"].GetBoolean(); left--)
            {
                Assert.True(left > 0, "the run never ends");
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }

        static async Task<bool> IsRunningAsync(HttpClient client) =>
            JsonDocument.Parse(await client.GetStringAsync("/api/v1/gc")).RootElement.GetProperty("isRunning").GetBoolean();
    }
}
