using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Oci;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>Which events become deliveries of which webhooks, and what their bodies say.</summary>
public sealed class WebhookFollowerTests
{
    private const string Url = "http://127.0.0.1:9/";

    [Fact]
    public async Task Push_InDistributionsEnvelope_SaysWhatDistributionDoes()
    {
        await using var registry = await HookRegistry.CreateAsync("Server:PublicUrl=https://registry.example:8443/");
        var webhook = (await registry.AddAsync(Url, null, settings => settings with { Format = WebhookFormat.Distribution })).Webhook;
        var digest = await registry.PushAsync("acme/app", "v1");
        var size = await registry.ScalarAsync<int>("SELECT octet_length(payload) FROM manifests");
        await registry.FollowAsync();

        var delivery = await ContentAsync(registry, webhook);
        Assert.Equal("application/vnd.docker.distribution.events.v1+json", delivery.ContentType);
        var pushed = (await registry.EventsAsync(EventKinds.Push))[0];
        var entry = Assert.Single(JsonDocument.Parse(delivery.Body).RootElement.GetProperty("events").EnumerateArray());
        Assert.Equal($"{pushed.Id}", entry.GetProperty("id").GetString());
        Assert.Equal(pushed.At, entry.GetProperty("timestamp").GetDateTimeOffset());
        Assert.Equal("push", entry.GetProperty("action").GetString());
        Assert.Equal(
            $$"""{"mediaType":"{{MediaTypes.OciIndex}}","digest":"{{digest}}","size":{{size}},"length":{{size}},"repository":"acme/app","url":"https://registry.example:8443/v2/acme/app/manifests/{{digest}}","tag":"v1"}""",
            entry.GetProperty("target").GetRawText().Replace("\\u002B", "+"));
        Assert.Equal(
            """{"id":"request-1","addr":"192.0.2.7","host":"registry.example:8443","method":"PUT","useragent":"docker/27"}""",
            entry.GetProperty("request").GetRawText());
        Assert.Equal("""{"name":"jane"}""", entry.GetProperty("actor").GetRawText());
        Assert.Equal(["addr", "instanceID"], entry.GetProperty("source").EnumerateObject().Select(part => part.Name));
    }

    [Fact]
    public async Task Push_AsACloudEvent_HasTheAttributesOfTheSpecification()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(Url);
        var digest = await registry.PushAsync("acme/app", "v1", "latest");
        await registry.FollowAsync();

        var delivery = await ContentAsync(registry, webhook);
        Assert.Equal("application/cloudevents+json", delivery.ContentType);
        var json = JsonDocument.Parse(delivery.Body).RootElement;
        var pushed = (await registry.EventsAsync(EventKinds.Push))[0];
        Assert.Equal(
            ("1.0", $"{pushed.Id}", "/v2/acme/app", "gantry.push", $"acme/app@{digest}", "application/json"),
            (Text("specversion"), Text("id"), Text("source"), Text("type"), Text("subject"), Text("datacontenttype")));
        var data = json.GetProperty("data");
        Assert.Equal(["latest", "v1"], data.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!).Order());
        Assert.Equal(
            ("acme", "acme/app", $"{digest}", MediaTypes.OciIndex, "jane", "docker/27", "request-1"),
            (Of("namespace"), Of("repository"), Of("digest"), Of("mediaType"), Of("account"), Of("client"), Of("requestId")));

        string Text(string name) => json.GetProperty(name).GetString()!;
        string Of(string name) => data.GetProperty(name).GetString()!;
    }

    [Theory]
    [InlineData(EventKinds.TagDelete, "delete")]
    [InlineData(EventKinds.ManifestDelete, "delete")]
    [InlineData(EventKinds.BlobDelete, "delete")]
    [InlineData(EventKinds.TagRestore, "push")]
    [InlineData(EventKinds.ManifestRestore, "push")]
    [InlineData(EventKinds.BlobRestore, "push")]
    public async Task EveryKind_HasAWordInDistributionsEnvelope(string kind, string action)
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = (await registry.AddAsync(Url, null, settings => settings with { Format = WebhookFormat.Distribution, Kinds = [kind] })).Webhook;
        await registry.HappenAsync(new Event(kind) { Repository = RepositoryName.Parse("acme/app"), Digest = Digest.Of("x"u8), Tag = "v1" });
        await registry.FollowAsync();
        var entry = JsonDocument.Parse((await ContentAsync(registry, webhook)).Body).RootElement.GetProperty("events")[0];
        Assert.Equal(action, entry.GetProperty("action").GetString());
        Assert.Equal(kind.StartsWith("blob.", StringComparison.Ordinal), entry.GetProperty("target").TryGetProperty("mediaType", out _));
        Assert.False(entry.GetProperty("target").TryGetProperty("url", out _));
    }

    [Fact]
    public async Task Webhooks_AreToldWhatTheyAskedFor_AndNothingElse()
    {
        await using var registry = await HookRegistry.CreateAsync();
        await registry.PushAsync("acme/first", "v0");
        await registry.PushAsync("other/first", "v0");
        await registry.FollowAsync();
        var everywhere = await registry.AddAsync(Url, null, "push", "tag.delete", "blob.quarantine");
        var ofAcme = await registry.AddAsync(Url, "acme");
        var ofOther = await registry.AddAsync(Url, "other");
        var pushesAlone = await registry.AddAsync(Url, "acme", "push");
        var ofProduction = (await registry.AddAsync(Url, null, settings => settings with { Repositories = Pattern("acme/prod-*") })).Webhook;
        var rights = await registry.AddAsync(Url, "acme", "member.set", "account.create", "readme.write");
        var watch = await registry.AddAsync(Url, null, "member.set", "account.create", "denied", "login.failed", "namespace.create", "gc.run");
        var asleep = (await registry.AddAsync(Url, null, settings => settings with { Active = false })).Webhook;

        await registry.PushAsync("acme/prod-web", "v1");
        await registry.PushAsync("other/app", "v1");
        await registry.HappenAsync(new Event(EventKinds.TagDelete) { Repository = RepositoryName.Parse("acme/app"), Tag = "v1" });
        await registry.HappenAsync(new Event(EventKinds.BlobQuarantine) { Digest = Digest.Of("x"u8) });
        await registry.HappenAsync(new Event(EventKinds.MemberSet) { Namespace = "acme", Subject = "jane", Detail = "writer" });
        await registry.HappenAsync(new Event(EventKinds.MemberSet) { Namespace = "other", Subject = "jane" });
        await registry.HappenAsync(new Event(EventKinds.AccountCreate) { Subject = "joe" });
        await registry.HappenAsync(new Event(EventKinds.ReadmeWrite) { Repository = RepositoryName.Parse("acme/app") });
        foreach (var kind in new[] { EventKinds.Denied, EventKinds.LoginFailed, EventKinds.NamespaceCreate, EventKinds.GcRun, EventKinds.Login, EventKinds.WebhookFailing })
            await registry.HappenAsync(new Event(kind));
        await registry.FollowAsync();

        Assert.Equal("blob.quarantine, push, push, tag.delete", await KindsAsync(everywhere));
        Assert.Equal("push, tag.delete", await KindsAsync(ofAcme));
        Assert.Equal("push", await KindsAsync(ofOther));
        Assert.Equal("push", await KindsAsync(pushesAlone));
        Assert.Equal("push", await KindsAsync(ofProduction));
        Assert.Equal("", await KindsAsync(asleep));
        Assert.Equal("member.set, readme.write", await KindsAsync(rights));
        Assert.Equal("account.create, denied, gc.run, login.failed, member.set, member.set, namespace.create", await KindsAsync(watch));
        var told = (await registry.DeliveriesAsync(rights)).Single(delivery => delivery.Kind == EventKinds.MemberSet);
        var data = JsonDocument.Parse((await registry.Get<WebhookDeliveries>().FindAsync(rights.Id, told.Id, default))!.Body).RootElement.GetProperty("data");
        Assert.Equal(("acme", "jane", "writer"), (data.GetProperty("namespace").GetString(), data.GetProperty("subject").GetString(), data.GetProperty("detail").GetString()));

        async Task<string> KindsAsync(Webhook webhook) =>
            string.Join(", ", (await registry.DeliveriesAsync(webhook)).Select(delivery => delivery.Kind).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task PushOfManyTags_IsSeveralBodiesForDistribution_AndOneCloudEvent()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var (many, one) = ((await registry.AddAsync(Url, null, settings => settings with { Format = WebhookFormat.Distribution })).Webhook, await registry.AddAsync(Url));
        await registry.PushAsync("acme/app", [.. Enumerable.Range(0, 250).Select(i => $"v{i}")]);
        await registry.FollowAsync();

        var ids = new List<string>();
        foreach (var delivery in await registry.DeliveriesAsync(many))
        {
            var content = (await registry.Get<WebhookDeliveries>().FindAsync(many.Id, delivery.Id, default))!;
            ids.AddRange(JsonDocument.Parse(content.Body).RootElement.GetProperty("events").EnumerateArray().Select(entry => entry.GetProperty("id").GetString()!));
        }

        Assert.Equal(3, (await registry.DeliveriesAsync(many)).Count);
        Assert.Equal((250, 250), (ids.Count, ids.Distinct().Count()));
        Assert.Single(await registry.DeliveriesAsync(one));
    }

    [Fact]
    public async Task HostileNames_StayWithinTheBodysTexts()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = (await registry.AddAsync(Url, null, settings => settings with { Format = WebhookFormat.Distribution })).Webhook;
        var client = "evil\",\"action\":\"x\u2028<script>\ud83d\ude00" + new string('x', 5000);
        await registry.Get<AuditTrail>().RecordAsync(
            new Event(EventKinds.Push) { Repository = RepositoryName.Parse("acme/app") }, HookRegistry.Jane with { Client = client }, default);
        await registry.FollowAsync();
        var body = (await ContentAsync(registry, webhook)).Body;
        Assert.All(body, c => Assert.InRange(c, ' ', '~'));
        Assert.Equal(client[..Actor.MaxClient], JsonDocument.Parse(body).RootElement.GetProperty("events")[0].GetProperty("request").GetProperty("useragent").GetString());
    }

    [Fact]
    public async Task WebhookThatHasTenThousandWaiting_GetsNoMore_AndTheLogSaysSo()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var (full, other) = (await registry.AddAsync(Url), await registry.AddAsync(Url));
        await registry.ScalarAsync<object>(
            "INSERT INTO webhook_deliveries (webhook_id, kind, content_type, body) SELECT $1, 'push', '', '' FROM generate_series(1, $2)", full.Id, WebhookFollower.MaxWaiting);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAsync();
        Assert.Equal((long)WebhookFollower.MaxWaiting, await registry.ScalarAsync<long>("SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1", full.Id));
        Assert.Single(await registry.DeliveriesAsync(other));
        Assert.Contains(registry.Log, line => line.Contains($"Webhook {full.Id} has 10000 deliveries waiting", StringComparison.Ordinal));
    }

    private static RepositoryPattern Pattern(string text) => RepositoryPattern.TryParse(text, out var pattern) ? pattern : throw new FormatException(text);

    private static async Task<DeliveryContent> ContentAsync(HookRegistry registry, Webhook webhook)
    {
        var delivery = await registry.DeliveryAsync(webhook);
        return (await registry.Get<WebhookDeliveries>().FindAsync(webhook.Id, delivery.Id, default))!;
    }
}
