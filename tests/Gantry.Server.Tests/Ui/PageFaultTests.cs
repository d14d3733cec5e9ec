using Gantry.Server.Tests.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

public sealed class PageFaultTests
{
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Providers_AreOffered_AndTheirFailuresAreShownAsPages()
    {
        // Nobody listens there.
        await using var registry = await RegistryServer.StartAsync(
            "SingleSignOn:Providers:corp:Issuer=http://127.0.0.1:9/issuer", "SingleSignOn:Providers:corp:ClientId=gantry",
            "SingleSignOn:Providers:corp:DisplayName=<b>Example & Co</b>");
        using var browser = new PageBrowser(registry.Address);
        var page = (await browser.GetAsync("/signin?return=/account")).Is(200);
        Assert.Contains("Sign in with &lt;b&gt;Example &amp; Co&lt;/b&gt;", page.Main, StringComparison.Ordinal);
        Assert.Contains("href=\"sso/corp/login?return=%2Faccount\"", page.Main, StringComparison.Ordinal);

        var away = (await browser.GetAsync("/sso/corp/login?return=/account")).Is(503);
        Assert.Contains(away.Headers["X-Request-Id"], away.Text, StringComparison.Ordinal);
        Assert.Contains("<h1", away.Html, StringComparison.Ordinal);
        var broken = (await browser.GetAsync("/sso/corp/callback?state=x&code=y")).Is(400);
        Assert.Contains("this browser has begun no sign-on", broken.Text, StringComparison.OrdinalIgnoreCase);

        // Programs are told as before.
        using var client = registry.Client(null);
        using var answer = await client.GetAsync("/sso/corp/callback?state=x&code=y");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Page_ThatFails_SaysItsRequest_AndNothingElse()
    {
        await using var registry = await RegistryServer.StartAsync();
        using var client = registry.Client();
        await client.PushImageAsync("library/app", "v1", "one"u8.ToArray());
        using var browser = new PageBrowser(registry.Address);
        await (await browser.GetAsync("/signin")).SubmitAsync("signin", ("name", "admin"), ("password", RegistryServer.Password));
        await registry.ExecuteAsync("ALTER TABLE tag_history RENAME TO elsewhere");

        var page = (await browser.GetAsync("/history/library/app:v1")).Is(500);
        Assert.Contains(page.Headers["X-Request-Id"], page.Text, StringComparison.Ordinal);
        Assert.Contains("failed to make this page", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("tag_history", page.Html, StringComparison.Ordinal);
        Assert.Contains("Sign out", page.Html, StringComparison.Ordinal);
    }
}
