using System.Text.RegularExpressions;
using Gantry.Core.Access;
using Gantry.Server.Tests.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

[Collection(typeof(PageCollection))]
public sealed class PageAccessTests(PageServer server)
{
    [Theory]
    [InlineData("stan", "/repositories/acme/app", "/repositories/none/app")]
    [InlineData("stan", "/history/acme/app:v1", "/history/none/app:v1")]
    [InlineData("stan", "/usage/acme/app", "/usage/none/app")]
    [InlineData("stan", "/readme/acme/app", "/readme/none/app")]
    [InlineData("stan", "/delete/acme/app:v1", "/delete/none/app:v1")]
    [InlineData("stan", "/deleted/acme/app", "/deleted/none/app")]
    [InlineData("stan", "/webhooks/1", "/webhooks/99999999")]
    [InlineData("stan", "/namespaces/acme", "/namespaces/none")]
    [InlineData("stan", "/namespaces/acme/members", "/namespaces/none/members")]
    [InlineData("stan", "/namespaces/acme/robots/robot.acme.ci", "/namespaces/none/robots/robot.none.ci")]
    [InlineData("reader", "/repositories/none/app", "/repositories/acme/none")]
    [InlineData(null, "/repositories/acme/app", "/repositories/none/app")]
    [InlineData(null, "/namespaces/acme", "/namespaces/none")]
    public async Task Missing_AndForbidden_LookTheSame(string? account, string forbidden, string missing)
    {
        using var browser = await server.OpenAsync(account);
        await browser.GetAsync("/signin");
        var one = (await browser.GetAsync(forbidden)).Is(404);
        var other = (await browser.GetAsync(missing)).Is(404);
        Assert.Equal(Bare(one, forbidden), Bare(other, missing));
        Assert.Equal(one.Headers.Keys.Order(), other.Headers.Keys.Order());

        static string Bare(PageAnswer page, string path) => Regex.Replace(
            page.Main.Replace(Uri.EscapeDataString(path), "PATH", StringComparison.Ordinal), "0H[0-9A-Z]+:[0-9A-F]+", "ID");
    }

    [Theory]
    [InlineData("reader", "/accounts")]
    [InlineData("maintainer", "/gc")]
    [InlineData("maintainer", "/gc/preview")]
    [InlineData("maintainer", "/robots")]
    [InlineData("maintainer", "/audit")]
    [InlineData("maintainer", "/audit/export?format=csv")]
    [InlineData("maintainer", "/settings")]
    [InlineData("maintainer", "/webhooks")]
    [InlineData("maintainer", "/storage")]
    [InlineData("maintainer", "/nodes")]
    [InlineData("writer", "/namespaces/acme/webhooks")]
    [InlineData("writer", "/readme/acme/app")]
    [InlineData("writer", "/delete/acme/app:v1")]
    [InlineData("reader", "/deleted/acme/app")]
    [InlineData("writer", "/namespaces/acme/members")]
    [InlineData("writer", "/namespaces/acme/rules")]
    [InlineData("writer", "/namespaces/acme/settings")]
    [InlineData("writer", "/audit?namespace=acme")]
    public async Task Pages_ForOthers_AreRefused_AndRecorded(string account, string path)
    {
        using var browser = await server.OpenAsync(account);
        var page = (await browser.GetAsync(path)).Is(403);
        Assert.Contains(page.Headers["X-Request-Id"], page.Text, StringComparison.Ordinal);
        var details = await server.Registry.TextsAsync($"SELECT detail FROM events WHERE kind = 'denied' AND account = '{account}'");
        Assert.Contains(details, detail => detail.StartsWith($"page {path.Split('?')[0]}:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/namespaces/acme/members", "add", "who", "stan")]
    [InlineData("/namespaces/acme/settings", "visibility", "visibility", "public")]
    [InlineData("/namespaces", "create", "name", "stolen")]
    [InlineData("/gc", "run", "x", "y")]
    [InlineData("/readme/acme/app", "readme", "markdown", "stolen")]
    [InlineData("/delete/acme/app:v1", "delete", "x", "y")]
    [InlineData("/namespaces/acme/webhooks", "make", "name", "stolen")]
    public async Task Forms_OfPagesForOthers_AreRefused(string path, string handler, string field, string value)
    {
        using var browser = await server.OpenAsync("writer");
        // Any page's token is one of this visitor's; the page that is posted to still asks for itself.
        var own = (await browser.GetAsync("/account/tokens")).Html;
        var token = Regex.Match(own, "__RequestVerificationToken\" value=\"([^\"]*)").Groups[1].Value;
        using var content = new FormUrlEncodedContent(
            [KeyValuePair.Create("_handler", handler), KeyValuePair.Create("__RequestVerificationToken", token), KeyValuePair.Create(field, value)]);
        var answer = await browser.SendAsync(HttpMethod.Post, path, content, ("Origin", server.Registry.Address.GetLeftPart(UriPartial.Authority)));
        Assert.InRange((int)answer.Status, 400, 403);
        Assert.Null(await server.Registry.Get<Namespaces>().FindAsync(NamespaceName.Parse("stolen"), default));
        Assert.Equal(Visibility.Private, (await server.Registry.Get<Namespaces>().FindAsync(NamespaceName.Parse("acme"), default))!.Visibility);
    }

    [Fact]
    public async Task Home_ShowsWhatOneMaySee()
    {
        using var nobody = await server.OpenAsync(null);
        var open = (await nobody.GetAsync("/")).Is(200).Main;
        Assert.Contains("repositories/mirror/base", open, StringComparison.Ordinal);
        Assert.DoesNotContain("acme", open, StringComparison.Ordinal);

        using var reader = await server.OpenAsync("reader");
        var known = (await reader.GetAsync("/")).Is(200).Main;
        Assert.Contains("repositories/acme/app", known, StringComparison.Ordinal);
        Assert.DoesNotContain("mirror/base", (await reader.GetAsync("/?q=acme/a")).Is(200).Main, StringComparison.Ordinal);
        Assert.Contains("has “zzz” in its name", (await reader.GetAsync("/?q=zzz")).Is(200).Text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Nobody_WhereNobodyIsLetIn_IsSentToSignIn()
    {
        await using var closed = await RegistryServer.StartAsync("Access:Anonymous=None");
        using var browser = new PageBrowser(closed.Address);
        foreach (var path in new[] { "/", "/namespaces", "/namespaces/none", "/repositories/none/such", "/gc" })
            Assert.Equal($"/signin?return={Uri.EscapeDataString(path)}", (await browser.GetAsync(path)).Is(303).Location);

        // The empty registry teaches, with the address at hand.
        await (await browser.GetAsync("/signin")).SubmitAsync("signin", ("name", "admin"), ("password", RegistryServer.Password));
        Assert.Contains($"docker push {closed.Address.Authority}/admin/alpine:latest", (await browser.GetAsync("/")).Is(200).Text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Pages_TurnedOff_AreNotThere()
    {
        await using var bare = await RegistryServer.StartAsync("Ui:Enabled=false");
        using var browser = new PageBrowser(bare.Address);
        foreach (var path in new[] { "/", "/signin", "/accounts", "/assets/gantry.css" })
            Assert.Equal("", (await browser.GetAsync(path)).Is(404).Html);
        Assert.Empty(browser.Cookies.GetAllCookies());
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Pages_BehindAProxyThatTakesAPathAway_KeepToIt()
    {
        await using var registry = await RegistryServer.StartAsync("Server:PublicUrl=https://registry.example/images");
        using var browser = new PageBrowser(registry.Address);
        var page = (await browser.GetAsync("/signin?return=/images/account")).Is(200);
        Assert.Contains("<base href=\"/images/\"", page.Html, StringComparison.Ordinal);
        Assert.Contains("action=\"/images/signin?return=/images/account\"", page.Html, StringComparison.Ordinal);
        Assert.Equal("/images/signin?return=%2Fimages%2Faccount", (await browser.GetAsync("/account")).Is(303).Location);
        Assert.DoesNotMatch("(href|src)=\"/(?!images/)", page.Html);

        // With TLS no client has to be told anything.
        await registry.AddNamespaceAsync("mirror", Visibility.Public);
        using var client = registry.Client();
        await client.PushImageAsync("mirror/base", "latest", "x"u8.ToArray());
        var lines = (await browser.GetAsync("/repositories/mirror/base")).Is(200).Text;
        foreach (var pull in new[] { "docker pull", "podman pull", "nerdctl pull", "ctr images pull", "crictl pull", "gantry pull" })
            Assert.Contains($" {pull} registry.example/mirror/base:latest ", lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_IsAnsweredLikeGet_WithoutABody()
    {
        using var browser = await server.OpenAsync(null);
        var head = (await browser.SendAsync(HttpMethod.Head, "/", null)).Is(200);
        Assert.Equal("", head.Html);
        Assert.Equal("text/html; charset=utf-8", head.Headers["Content-Type"]);
        Assert.StartsWith("/signin?", (await browser.SendAsync(HttpMethod.Head, "/gc", null)).Is(303).Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_ToABrowserIsAPage_AndToOthersNothing()
    {
        using var browser = await server.OpenAsync(null);
        Assert.Contains("Not found", (await browser.GetAsync("/none/such")).Is(404).Text, StringComparison.Ordinal);
        using var client = server.Registry.Client(null);
        using var answer = await client.GetAsync("/none/such");
        Assert.Equal("", await answer.Content.ReadAsStringAsync());
        Assert.Equal("application/problem+json", (await browser.GetAsync("/api/v1/none")).Is(404).Headers["Content-Type"]);
        Assert.Equal("application/json", (await browser.GetAsync("/v2/none/tags/list")).Is(401).Headers["Content-Type"]);
    }
}
