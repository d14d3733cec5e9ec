using System.Security.Cryptography;
using System.Text;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Oci;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>What a webhook may be, how it is changed, and where its secrets lie.</summary>
public sealed class WebhookListTests
{
    private const string Url = "https://hooks.example/services/T0/a-secret-path";

    [Fact]
    public async Task Webhook_IsWhatItWasMade_AndEachChangeIsAnEventWithoutItsUrl()
    {
        await using var registry = await HookRegistry.CreateAsync();
        await registry.PushAsync("acme/app", "v1");
        var webhook = await registry.AddAsync(Url, "acme");
        Assert.Equal(("acme", "a hook", Url, WebhookFormat.CloudEvents, true, false), (webhook.Namespace, webhook.Name, webhook.Url, webhook.Format, webhook.Active, webhook.HasAuthorization));
        Assert.Equal(["push", "tag.delete"], webhook.Kinds);

        var changed = await ChangeAsync(registry, webhook, new WebhookChanges { Name = "another", Kinds = ["push"], Authorization = "Bearer abc" });
        Assert.Equal(("another", Url, true), (changed.Name, changed.Url, changed.HasAuthorization));
        Assert.False((await ChangeAsync(registry, webhook, new WebhookChanges { Authorization = "" })).HasAuthorization);
        Assert.True(await registry.Get<WebhookList>().DeleteAsync(webhook.Id, null, HookRegistry.Jane, default));
        Assert.False(await registry.Get<WebhookList>().DeleteAsync(webhook.Id, null, HookRegistry.Jane, default));
        Assert.Null(await registry.Get<WebhookList>().ChangeAsync(webhook.Id, new WebhookChanges { Name = "x" }, null, HookRegistry.Jane, default));

        Assert.Equal(
            [("acme", "jane", $"webhook {webhook.Id}: name, kinds, authorization"), ("acme", "jane", $"webhook {webhook.Id}: authorization")],
            (await registry.EventsAsync(EventKinds.WebhookChange)).Select(row => (row.Namespace!, row.Account!, row.Detail!)));
        Assert.Equal($"webhook {webhook.Id}: https://hooks.example", Assert.Single(await registry.EventsAsync(EventKinds.WebhookCreate)).Detail);
        Assert.Single(await registry.EventsAsync(EventKinds.WebhookDelete));
    }

    /// <summary>Whoever may change a webhook is not shown its header, and must not have it sent to a host of his own either.</summary>
    [Fact]
    public async Task Change_ToAnotherHost_WantsTheAuthorizationAgain()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = (await registry.AddAsync(Url, null, settings => settings with { Authorization = "Bearer abc" })).Webhook;
        foreach (var other in new[] { "https://mine.example/", "http://hooks.example/", "https://hooks.example:444/" })
        {
            var moved = new WebhookChanges { Url = WebhookUrl.Parse(other) };
            Assert.Equal(400, (await Assert.ThrowsAsync<OciException>(() => ChangeAsync(registry, webhook, moved))).Status);
            Assert.Equal(Url, (await registry.NowAsync(webhook)).Url);
        }

        Assert.True((await ChangeAsync(registry, webhook, new WebhookChanges { Url = WebhookUrl.Parse("https://hooks.example/another") })).HasAuthorization);
        Assert.True((await ChangeAsync(registry, webhook, new WebhookChanges { Url = WebhookUrl.Parse("https://b.example/"), Authorization = "Bearer b" })).HasAuthorization);
        Assert.False((await ChangeAsync(registry, webhook, new WebhookChanges { Url = WebhookUrl.Parse("https://c.example/"), Authorization = "" })).HasAuthorization);
        Assert.Equal("https://d.example/", (await ChangeAsync(registry, webhook, new WebhookChanges { Url = WebhookUrl.Parse("https://d.example/") })).Url);
    }

    [Fact]
    public async Task Change_ThatExpectsSomethingElse_ChangesNothing()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(Url);
        await Assert.ThrowsAsync<InvalidOperationException>(() => registry.Get<WebhookList>().ChangeAsync(
            webhook.Id, new WebhookChanges { Name = "lost" }, now => throw new InvalidOperationException(now.Name), HookRegistry.Jane, default));
        Assert.Equal("a hook", (await registry.NowAsync(webhook)).Name);
        Assert.Empty(await registry.EventsAsync(EventKinds.WebhookChange));
    }

    [Theory]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://[::ffff:169.254.169.254]/")]
    [InlineData("http://0x0a000001/")]
    public async Task PrivateAddress_IsRefusedWhenItIsMade_AndWhenItIsChanged(string url)
    {
        await using var registry = await HookRegistry.CreateAsync();
        Assert.Equal(400, (await Assert.ThrowsAsync<OciException>(() => registry.AddAsync(url))).Status);
        var webhook = await registry.AddAsync(Url);
        Assert.Equal(400, (await Assert.ThrowsAsync<OciException>(
            () => ChangeAsync(registry, webhook, new WebhookChanges { Url = WebhookUrl.Parse(url) }))).Status);
    }

    [Fact]
    public async Task PlainHttp_IsRefusedWhereTheSettingsSaySo()
    {
        await using var registry = await HookRegistry.CreateAsync("Webhooks:AllowHttp=false");
        Assert.Contains("https", (await Assert.ThrowsAsync<OciException>(() => registry.AddAsync("http://hooks.example/"))).Message);
        await registry.AddAsync(Url);
    }

    [Theory]
    [InlineData("pull", "write no events")]
    [InlineData("mount", "write no events")]
    [InlineData("login", "must be of push")]
    [InlineData("ping", "must be of push")]
    [InlineData("blob.quarantine", "concern no namespace")]
    [InlineData("denied", "are for administrators")]
    public async Task KindThatCannotBeTold_IsRefused(string kind, string why)
    {
        await using var registry = await HookRegistry.CreateAsync();
        await registry.PushAsync("acme/app", "v1");
        Assert.Contains(why, (await Assert.ThrowsAsync<OciException>(() => registry.AddAsync(Url, "acme", "push", kind))).Message);
    }

    [Fact]
    public async Task Format_ThatHasNoWordForAKind_IsRefused()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(Url, null, "push", "blob.quarantine");
        var refused = await Assert.ThrowsAsync<OciException>(() => ChangeAsync(registry, webhook, new WebhookChanges { Format = WebhookFormat.Distribution }));
        Assert.Contains("no word for blob.quarantine", refused.Message);
        Assert.Equal(["push"], (await registry.AddAsync(Url, null, settings => settings with { Format = WebhookFormat.Distribution, Kinds = ["push"] })).Webhook.Kinds);
        refused = await Assert.ThrowsAsync<OciException>(() => registry.AddAsync(Url, null, settings => settings with { Format = WebhookFormat.Distribution, Kinds = ["push", "member.set"] }));
        Assert.Contains("no word for member.set", refused.Message);
    }

    [Theory]
    [InlineData("acme")]
    [InlineData(null)]
    public async Task WebhooksOfOne_AreTwentyAtMost_ThoughTheLastTwoAreMadeAtOnce(string? home)
    {
        await using var registry = await HookRegistry.CreateAsync();
        await registry.PushAsync("acme/app", "v1");
        for (var i = 1; i < WebhookList.MaxEach; i++) await registry.AddAsync(Url, home);
        await registry.AddAsync(Url, home is null ? "acme" : null);

        // The first has counted; the second has to wait for it.
        var pause = registry.Pauses.Before("INSERT INTO webhooks");
        var first = registry.AddAsync(Url, home);
        await pause.Reached;
        var second = registry.AddAsync(Url, home);
        await registry.UntilAsync("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')", orElse: second);
        pause.Release();
        await first;
        var full = await Assert.ThrowsAsync<OciException>(() => second);
        Assert.Equal((409, $"{home ?? "the registry"} has 20 webhooks, the most there may be"), (full.Status, full.Message));
        Assert.Equal(WebhookList.MaxEach + 1, (await registry.Get<WebhookList>().PageAsync(null, null, 100, default)).Count);
        Assert.Equal(home is null ? 1 : WebhookList.MaxEach, (await registry.Get<WebhookList>().PageAsync(NamespaceName.Parse("acme"), null, 100, default)).Count);
    }

    [Fact]
    public async Task Secrets_LieEncryptedWhereThereIsAKey_AndInNoOtherPlace()
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        await using var plain = await HookRegistry.CreateAsync();
        await using var keyed = plain.AnotherNode($"Access:KeyEncryptionKey={key}", "Webhooks:AllowedNetworks:0=127.0.0.0/8");
        var before = await plain.AddAsync(Url, null, settings => settings with { Authorization = "Bearer first-token" });
        Assert.Equal(1, await keyed.Get<WebhookList>().SealAsync(default));
        Assert.Equal(0, await keyed.Get<WebhookList>().SealAsync(default));
        var after = await keyed.AddAsync(Url, null, settings => settings with { Authorization = "Bearer second-token" });

        var stored = await plain.ScalarAsync<string>("SELECT string_agg(encode(secret, 'escape') || encode(credential, 'escape'), ' ') FROM webhooks");
        Assert.Equal(4, stored.Split("GK1").Length - 1);
        Assert.All(
            new[] { before.Secret.Reveal()[6..], after.Secret.Reveal()[6..], "first-token", "second-token" },
            secret => Assert.DoesNotContain(secret, stored));
    }

    [Fact]
    public async Task Secret_ThatWasMovedToAnotherRow_IsNotOpened()
    {
        await using var registry = await HookRegistry.CreateAsync($"Access:KeyEncryptionKey={Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}");
        var (mine, theirs) = (await registry.AddAsync("http://127.0.0.1:9/"), await registry.AddAsync("http://127.0.0.1:9/"));
        await registry.ScalarAsync<object>("UPDATE webhooks SET secret = (SELECT secret FROM webhooks WHERE id = $1) WHERE id = $2", theirs.Id, mine.Id);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        Assert.Contains("does not decrypt", (await registry.DeliveryAsync(mine)).Error);
    }

    [Theory]
    [InlineData("whsec_")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("whsec_not base64 at all, but long enough")]
    [InlineData("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0")]
    [InlineData(null)]
    public void Rejects_SecretThatIsNone(string? text) => Assert.False(WebhookSecret.TryParse(text, out _));

    [Fact]
    public void Accepts_SecretOf24To64Bytes_AndShowsItInNoText()
    {
        foreach (var length in new[] { 24, 32, 64 })
        {
            var text = WebhookSecret.Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(length));
            Assert.True(WebhookSecret.TryParse(text, out var secret));
            Assert.Equal(text, secret.Reveal());
            Assert.DoesNotContain(text[6..12], $"{secret}");
        }

        Assert.False(WebhookSecret.TryParse(WebhookSecret.Prefix + Convert.ToBase64String(new byte[65]), out _));
        Assert.False(WebhookSecret.TryParse(WebhookSecret.Prefix + Convert.ToBase64String(new byte[23]), out _));
    }

    [Theory]
    [InlineData("https://example.com")]
    [InlineData("http://example.com:8080/a/b?c=d")]
    [InlineData("https://bücher.example/")]
    [InlineData("http://[2606:4700::1]:81/")]
    public void Accepts_Url(string text) => Assert.True(WebhookUrl.TryParse(text, out _));

    [Theory]
    [InlineData("")]
    [InlineData("example.com")]
    [InlineData("/relative")]
    [InlineData("ftp://example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("unix:/run/docker.sock")]
    [InlineData("https://user@example.com/")]
    [InlineData("https://user:password@example.com/")]
    [InlineData("https://example.com/#part")]
    [InlineData("https://example.com:0/")]
    [InlineData("https:///path")]
    [InlineData(" https://example.com/")]
    [InlineData("https://example.com/a b")]
    [InlineData("https://example.com\\@10.0.0.1/")]
    [InlineData("https://example.com/\r\nHost: x")]
    public void Rejects_Url(string text) => Assert.False(WebhookUrl.TryParse(text, out _));

    [Fact]
    public void Rejects_UrlThatIsTooLong() =>
        Assert.False(WebhookUrl.TryParse($"https://example.com/{new StringBuilder().Append('x', WebhookUrl.MaxLength)}", out _));

    private static async Task<Webhook> ChangeAsync(HookRegistry registry, Webhook webhook, WebhookChanges changes) =>
        (await registry.Get<WebhookList>().ChangeAsync(webhook.Id, changes, null, HookRegistry.Jane, default))!;
}
