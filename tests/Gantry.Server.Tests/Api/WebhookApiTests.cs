using System.Text.Json;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class WebhookApiTests(ApiServer server)
{
    private const string Url = "https://hooks.example/path";

    [Fact]
    public async Task Webhook_OfANamespace_IsToldOfAPush_AndItsLogHasRequestAndAnswer()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(200, "well received");
        var ns = await server.NewNamespaceAsync();
        var made = (await server.SendAsync("POST", $"/namespaces/{ns}/webhooks", "maintainer", new { name = "ci", url = receiver.Url })).Is(201);
        var path = $"/webhooks/{made["webhook"].GetProperty("id").GetInt64()}";
        Assert.Equal("/api/v1" + path, made.Header("Location"));
        Assert.Matches("^whsec_[A-Za-z0-9+/]{43}=$", made.Text("secret"));

        using var client = server.Server.Client("admin");
        await client.PushImageAsync($"{ns}/app", "v1", "layer"u8.ToArray());
        var hook = await receiver.NextAsync();
        Assert.Equal(("gantry.push", $"{ns}/app"), (hook.Json.GetProperty("type").GetString(), hook.Json.GetProperty("data").GetProperty("repository").GetString()));

        var delivery = await DeliveredAsync(path, "maintainer");
        Assert.Equal((hook.Id, "push", 200), (delivery.GetProperty("messageId").GetString(), delivery.GetProperty("kind").GetString(), delivery.GetProperty("status").GetInt32()));
        var pushed = await server.LastEventAsync("push", ns);
        Assert.Equal(pushed.GetProperty("id").GetInt64(), delivery.GetProperty("eventId").GetInt64());
        var whole = (await server.SendAsync("GET", $"{path}/deliveries/{delivery.GetProperty("id").GetInt64()}", "maintainer")).Is(200);
        Assert.Equal((hook.Text, hook.Headers["webhook-timestamp"]), (whole["request"].GetProperty("body").GetString(), whole["request"].GetProperty("timestamp").GetString()));
        Assert.Equal("well received", whole["answer"].GetProperty("body").GetString());
        Assert.DoesNotContain(made.Text("secret")!, $"{whole.Json}");
    }

    [Fact]
    public async Task Test_SendsAPing_AndARedeliveryTheSameOnceMore()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var path = await NewAsync(await server.NewNamespaceAsync(), new { name = "ci", url = receiver.Url, format = "distribution" });
        var test = (await server.SendAsync("POST", $"{path}/test", "maintainer")).Is(201);
        Assert.Equal(("ping", "waiting"), (test.Text("kind"), test.Text("state")));
        var ping = await receiver.NextAsync();
        Assert.Equal(("""{"events":[]}""", test.Text("messageId")), (ping.Text, ping.Id));
        await DeliveredAsync(path, "maintainer");

        var again = (await server.SendAsync("POST", test.Header("Location")!["/api/v1".Length..] + "/redelivery", "maintainer")).Is(201);
        Assert.Equal(ping.Id, (await receiver.NextAsync()).Id);
        Assert.NotEqual(test["id"].GetInt64(), again["id"].GetInt64());
        Assert.Equal(2, (await server.PagesAsync($"{path}/deliveries?limit=1", "maintainer")).Count);

        (await server.SendAsync("PATCH", path, "maintainer", new { active = false })).Is(200);
        (await server.SendAsync("POST", again.Header("Location")!["/api/v1".Length..] + "/redelivery", "maintainer")).Is(409);
        (await server.SendAsync("POST", $"{path}/deliveries/99999999/redelivery", "admin")).Is(409);
        (await server.SendAsync("GET", $"{path}/deliveries/99999999", "admin")).Is(404);
    }

    [Fact]
    public async Task Webhooks_AreKeptByMaintainersOfTheirNamespace_AndByAdministrators()
    {
        var (ns, other) = (await server.NewNamespaceAsync(), server.NewName("team"));
        (await server.SendAsync("POST", "/namespaces", "may", new { name = other })).Is(201);
        var mine = await NewAsync(ns, new { name = "mine", url = Url });
        var everybodys = $"/webhooks/{(await server.SendAsync("POST", "/webhooks", "admin", new { name = "all", url = Url, kinds = new[] { "push", "blob.quarantine" } })).Is(201)["webhook"].GetProperty("id").GetInt64()}";

        var none = (await server.SendAsync("GET", "/webhooks/99999999", "stan")).Is(404).Text("detail")!;
        foreach (var (path, who) in new[] { (mine, "stan"), (mine, "reader"), (mine, "writer"), (mine, "may"), (everybodys, "maintainer"), (everybodys, "may") })
        {
            foreach (var (method, below) in new[] { ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries"), ("GET", "/deliveries/1"), ("POST", "/deliveries/1/redelivery") })
            {
                var refused = (await server.SendAsync(method, path + below, who)).Is(404).Text("detail");
                Assert.Equal(none.Replace("99999999", path.Split('/')[^1]).Replace("stan", who), refused);
            }
        }

        foreach (var who in new[] { "reader", "writer" }) (await server.SendAsync("GET", $"/namespaces/{ns}/webhooks", who)).Is(403);
        (await server.SendAsync("POST", $"/namespaces/{ns}/webhooks", "writer", new { name = "x", url = Url })).Is(403);
        (await server.SendAsync("GET", "/webhooks", "maintainer")).Is(403);
        (await server.SendAsync("POST", "/webhooks", "maintainer", new { name = "x", url = Url })).Is(403);
        Assert.Single((await server.SendAsync("GET", $"/namespaces/{ns}/webhooks", "maintainer")).Is(200)["items"].EnumerateArray());
        var all = (await server.PagesAsync("/webhooks?limit=2")).SelectMany(page => page).Select(one => one.GetProperty("namespace").GetString()).ToList();
        Assert.Contains(ns, all);
        Assert.Contains(null, all);
        (await server.SendAsync("DELETE", everybodys, "admin")).Is(204);
        (await server.SendAsync("DELETE", mine, "admin")).Is(204);
        (await server.SendAsync("DELETE", mine, "admin")).Is(404);
    }

    [Fact]
    public async Task Change_NeedsTheTagOfWhatIsThereNow()
    {
        var path = await NewAsync(await server.NewNamespaceAsync(), new { name = "first", url = Url });
        var read = (await server.SendAsync("GET", path, "maintainer")).Is(200);
        var tag = read.Header("ETag")!;
        Assert.Equal(304, (int)(await server.SendAsync("GET", path, "maintainer", null, ("If-None-Match", tag))).Status);

        var changed = (await server.SendAsync("PATCH", path, "maintainer", new { name = "second" }, ("If-Match", tag))).Is(200);
        Assert.Equal("second", changed.Text("name"));
        (await server.SendAsync("PATCH", path, "maintainer", new { name = "third" }, ("If-Match", tag))).Is(412);
        (await server.SendAsync("DELETE", path, "maintainer", null, ("If-Match", tag))).Is(412);
        (await server.SendAsync("DELETE", path, "maintainer", null, ("If-Match", "\"nonsense"))).Is(412);
        Assert.Equal(changed.Header("ETag"), (await server.SendAsync("GET", path, "maintainer")).Header("ETag"));
        (await server.SendAsync("PATCH", path, "maintainer", new { name = "third" }, ("If-Match", $"\"x\", {changed.Header("ETag")}"))).Is(200);
        (await server.SendAsync("PATCH", path, "maintainer", new { name = "fourth" })).Is(200);
        (await server.SendAsync("DELETE", path, "maintainer", null, ("If-Match", "*"))).Is(204);
    }

    [Fact]
    public async Task Changes_OfTwoWithTheSameTag_AreOneAndARefusal()
    {
        var path = await NewAsync(await server.NewNamespaceAsync(), new { name = "first", url = Url });
        var tag = (await server.SendAsync("GET", path, "maintainer")).Header("ETag")!;
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => server.SendAsync("PATCH", path, "maintainer", new { name = $"n{i}" }, ("If-Match", tag))));
        Assert.Equal([200, .. Enumerable.Repeat(412, 7)], answers.Select(answer => (int)answer.Status).Order());
    }

    [Fact]
    public async Task Secrets_AreShownOnceAndNeverAgain()
    {
        var secret = "whsec_" + Convert.ToBase64String(new byte[24]);
        var ns = await server.NewNamespaceAsync();
        var made = (await server.SendAsync("POST", $"/namespaces/{ns}/webhooks", "maintainer", new { name = "x", url = Url, secret, authorization = "Bearer hidden" })).Is(201);
        Assert.Equal(secret, made.Text("secret"));
        Assert.True(made["webhook"].GetProperty("hasAuthorization").GetBoolean());
        var path = $"/webhooks/{made["webhook"].GetProperty("id").GetInt64()}";
        foreach (var answer in new[]
        {
            await server.SendAsync("GET", path), await server.SendAsync("GET", $"/namespaces/{ns}/webhooks"),
            await server.SendAsync("PATCH", path, "admin", new { secret, authorization = "Bearer hidden" }), await server.SendAsync("GET", $"/events?namespace={ns}"),
        })
        {
            Assert.DoesNotContain(secret[6..], $"{answer.Is(200).Json}");
            Assert.DoesNotContain("hidden", $"{answer.Json}");
        }

        Assert.False((await server.SendAsync("PATCH", path, "admin", new { authorization = "" })).Is(200)["hasAuthorization"].GetBoolean());
        Assert.DoesNotContain("hooks.example/path", $"{(await server.LastEventAsync("webhook.create", ns))}");
    }

    [Fact]
    public async Task Faults_AreAllNamedAtOnce()
    {
        var ns = await server.NewNamespaceAsync();
        var answer = (await server.SendAsync("POST", $"/namespaces/{ns}/webhooks", "maintainer", new
        {
            url = "https://user:password@example.com/", format = "xml", kinds = new[] { "pull" }, repositories = "A", secret = "short", authorization = "ä", active = 1, more = 1,
        })).Is(400);
        Assert.Equal(["active", "authorization", "format", "kinds", "more", "name", "repositories", "secret", "url"], answer.Faults);
        Assert.Contains("write no events", answer["errors"].GetProperty("kinds")[0].GetString());
        Assert.DoesNotContain("password", answer.Text("detail"));
        (await server.SendAsync("PATCH", await NewAsync(ns, new { name = "x", url = Url }), "maintainer", new { })).Is(400);
    }

    [Theory]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[64:ff9b::a00:1]/")]
    [InlineData("http://0x7f000002/")]
    public async Task PrivateAddress_IsRefused(string url)
    {
        var answer = (await server.SendAsync("POST", "/webhooks", "admin", new { name = "x", url })).Is(400);
        Assert.Contains("Webhooks:AllowedNetworks", answer.Text("detail"));
    }

    private async Task<string> NewAsync(string ns, object settings) =>
        $"/webhooks/{(await server.SendAsync("POST", $"/namespaces/{ns}/webhooks", "maintainer", settings)).Is(201)["webhook"].GetProperty("id").GetInt64()}";

    /// <summary>The newest delivery, once it is delivered.</summary>
    private async Task<JsonElement> DeliveredAsync(string path, string who)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var newest = (await server.SendAsync("GET", $"{path}/deliveries?limit=1", who)).Is(200)["items"];
            if (newest.GetArrayLength() > 0 && newest[0].GetProperty("state").GetString() == "delivered") return newest[0];
            Assert.False(limit.IsCancellationRequested, $"{newest}");
            await Task.Delay(20);
        }
    }
}
