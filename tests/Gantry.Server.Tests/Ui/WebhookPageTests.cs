using System.Text.RegularExpressions;
using Gantry.Core.Webhooks;
using Gantry.Server.Ui;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

[Collection(typeof(PageCollection))]
public sealed class WebhookPageTests(PageServer server)
{
    [Fact]
    public async Task Webhook_IsMade_ShowsItsSecretOnce_IsTested_AndSendsAgain()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(202, "<b>taken</b>");
        using var browser = await server.OpenAsync("maintainer");
        var made = (await MakeAsync(browser, receiver.Url, "first hook", ("kinds", "push"))).Is(200);
        var secret = Regex.Match(made.Text, "whsec_[0-9A-Za-z+/=]{40,}").Value;
        Assert.NotEmpty(secret);
        var id = Regex.Match(made.Main, "href=\"webhooks/([0-9]+)\">first hook").Groups[1].Value;
        var page = (await browser.GetAsync($"/webhooks/{id}")).Is(200);
        Assert.DoesNotContain(secret, page.Html, StringComparison.Ordinal);

        var sent = await page.SubmitAsync("test");
        var first = await receiver.NextAsync();
        var delivery = await DeliveredAsync(browser, sent.Location!);
        Assert.Contains(first.Id, delivery.Text, StringComparison.Ordinal);
        Assert.Contains("gantry.ping", delivery.Text, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;taken&lt;/b&gt;", delivery.Main, StringComparison.Ordinal);

        var again = await delivery.SubmitAsync("again");
        Assert.Equal(first.Id, (await receiver.NextAsync()).Id);
        Assert.NotEqual(sent.Location, again.Location);
        await DeliveredAsync(browser, again.Location!);
        Assert.Equal(2, Regex.Count((await browser.GetAsync($"/webhooks/{id}")).Main, ">delivered<"));
    }

    [Fact]
    public void Form_HasEveryKindThatCanBeTold() =>
        Assert.Equal(WebhookKinds.All.Order(StringComparer.Ordinal), WebhookForm.KindNames.Select(one => one.Kind).Order(StringComparer.Ordinal));

    [Fact]
    public async Task Webhook_ThatFails_SaysSo()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(500);
        using var browser = await server.OpenAsync("maintainer");
        var id = await MadeAsync(browser, receiver.Url);
        var sent = await (await browser.GetAsync($"/webhooks/{id}")).SubmitAsync("test");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await browser.GetAsync(sent.Location!)).Text.Contains("failed so far", StringComparison.Ordinal)) limit.Token.ThrowIfCancellationRequested();
        Assert.Contains("<code>500</code>", (await browser.GetAsync($"/webhooks/{id}")).Is(200).Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Webhook_IsChanged_SwitchedOff_GivenAnotherSecret_AndDeleted()
    {
        using var browser = await server.OpenAsync("maintainer");
        var id = await MadeAsync(browser, "http://127.0.0.1:9/one", ("authorization", "Bearer very-secret"));
        var old = await browser.GetAsync($"/webhooks/{id}");
        Assert.DoesNotContain("very-secret", old.Html, StringComparison.Ordinal);
        var changed = await browser.FollowAsync(await old.SubmitAsync("change",
            ("name", "renamed"), ("url", "http://127.0.0.1:9/two"), ("format", "distribution"), ("kinds", "push"), ("repositories", "acme/app")));
        Assert.Contains("renamed is changed.", changed.Text, StringComparison.Ordinal);
        var webhook = (await server.Registry.Get<WebhookList>().FindAsync(long.Parse(id, System.Globalization.CultureInfo.InvariantCulture), default))!;
        Assert.Equal(("http://127.0.0.1:9/two", WebhookFormat.Distribution, "acme/app", true), (webhook.Url, webhook.Format, $"{webhook.Repositories}", webhook.HasAuthorization));

        // The page that was open before knows nothing of that.
        Assert.Contains("Somebody else changed", (await old.SubmitAsync("change", ("name", "lost"), ("url", "http://127.0.0.1:9/"), ("kinds", "push"))).Is(409).Text, StringComparison.Ordinal);
        changed = await browser.FollowAsync(await changed.SubmitAsync("change", ("name", "renamed"), ("url", webhook.Url), ("format", "distribution"), ("kinds", "push"), ("repositories", "acme/app"), ("drop", "yes")));
        Assert.DoesNotContain("kept as it is", changed.Main, StringComparison.Ordinal);

        changed = await browser.FollowAsync(await changed.SubmitAsync("switch", ("to", "off")));
        Assert.Contains(">off<", changed.Main, StringComparison.Ordinal);
        Assert.Matches("whsec_[0-9A-Za-z+/=]{40,}", (await changed.SubmitAsync("switch", ("to", "secret"))).Is(200).Text);
        await browser.FollowAsync(await changed.SubmitAsync("delete"));
        (await browser.GetAsync($"/webhooks/{id}")).Is(404);
    }

    [Theory]
    [InlineData("", "http://127.0.0.1:9/", "push", "acme/*", "This is needed.")]
    [InlineData("x", "ftp://a.example", "push", "acme/*", "must be an http or https address")]
    [InlineData("x", "http://10.1.2.3/", "push", "acme/*", "The url")]
    [InlineData("x", "http://127.0.0.1:9/", "", "acme/*", "Choose at least one.")]
    [InlineData("x", "http://127.0.0.1:9/", "push", "ACME", "A pattern is of")]
    public async Task Webhook_ThatIsNone_IsNotMade(string name, string url, string kind, string pattern, string fault)
    {
        using var browser = await server.OpenAsync("maintainer");
        var answer = (await (await browser.GetAsync("/namespaces/acme/webhooks")).SubmitAsync("make",
            ("name", name), ("url", url), ("kinds", kind), ("repositories", pattern), ("authorization", "Bearer typed-secret"))).Is(400);
        Assert.Contains(fault, answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("typed-secret", answer.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Webhooks_OfOthers_AreNotThere()
    {
        using var admin = await server.OpenAsync();
        var everything = (await (await admin.GetAsync("/webhooks")).SubmitAsync("make", ("name", "of everything"), ("url", "http://127.0.0.1:9/"), ("kinds", "push"), ("kinds", "blob.heal"))).Is(200);
        var id = Regex.Match(everything.Main, "href=\"webhooks/([0-9]+)\">of everything").Groups[1].Value;
        using var maintainer = await server.OpenAsync("maintainer");
        (await maintainer.GetAsync("/webhooks")).Is(403);
        (await maintainer.GetAsync($"/webhooks/{id}")).Is(404);
        (await maintainer.GetAsync("/webhooks/99999999")).Is(404);
        (await maintainer.GetAsync("/webhooks/nonsense")).Is(404);
        using var writer = await server.OpenAsync("writer");
        (await writer.GetAsync("/namespaces/acme/webhooks")).Is(403);
        (await writer.GetAsync($"/webhooks/{await MadeAsync(maintainer, "http://127.0.0.1:9/")}")).Is(404);
        using var nobody = await server.OpenAsync(null);
        Assert.StartsWith("/signin?return=", (await nobody.GetAsync($"/webhooks/{id}")).Is(303).Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NamesAndAddresses_ThatAreHostile_AreTextAlone()
    {
        using var browser = await server.OpenAsync("maintainer");
        await MakeAsync(browser, "http://127.0.0.1:9/\"><script>alert(1)</script>", "<script>alert(2)</script>", ("kinds", "push"));
        var list = (await browser.GetAsync("/namespaces/acme/webhooks")).Is(200);
        Assert.Contains("&lt;script&gt;alert(2)", list.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", list.Html, StringComparison.Ordinal);
        var id = Regex.Match(list.Main, "href=\"webhooks/([0-9]+)\">&lt;script").Groups[1].Value;
        Assert.DoesNotContain("<script>alert", (await browser.GetAsync($"/webhooks/{id}")).Is(200).Html, StringComparison.Ordinal);
    }

    private async Task<string> MadeAsync(PageBrowser browser, string url, params (string, string)[] more)
    {
        var name = server.NewName("hook");
        var made = (await MakeAsync(browser, url, name, [("kinds", "push"), .. more])).Is(200);
        return Regex.Match(made.Main, $"href=\"webhooks/([0-9]+)\">{name}<").Groups[1].Value;
    }

    private static async Task<PageAnswer> MakeAsync(PageBrowser browser, string url, string name, params (string, string)[] more) =>
        await (await browser.GetAsync("/namespaces/acme/webhooks")).SubmitAsync("make", [("name", name), ("url", url), ("format", "cloudevents"), .. more]);

    private static async Task<PageAnswer> DeliveredAsync(PageBrowser browser, string path)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        PageAnswer page;
        while (!(page = (await browser.GetAsync(path)).Is(200)).Main.Contains(">delivered<", StringComparison.Ordinal)) limit.Token.ThrowIfCancellationRequested();
        return page;
    }
}
