using System.Net;
using System.Web;
using Gantry.Server.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Auth;

/// <summary>What somebody between browser, registry and provider may try; the provider itself is honest.</summary>
[Trait("Speed", "Slow")]
public sealed class SignOnAttackTests(SignOnServers servers) : IClassFixture<SignOnServers>
{
    private RegistryServer Registry => servers.Registry;

    [Fact]
    public async Task Callback_WithAnotherState_IsRefused()
    {
        using var browser = await ReadyAsync();
        var callback = await browser.ToCallbackAsync("one", "target");
        await RefusedAsync(browser, With(callback, "state", new string('A', 43)), "not begun here");
    }

    [Fact]
    public async Task Callback_InABrowserThatBeganNothing_IsRefused()
    {
        using var victim = await ReadyAsync();
        using var attacker = servers.NewBrowser();
        await RefusedAsync(victim, await attacker.ToCallbackAsync("one", "target"), "has begun no sign-on");
    }

    [Fact]
    public async Task Callback_WithTheStateOfALaterLogin_IsRefused()
    {
        using var browser = await ReadyAsync();
        var first = await browser.ToCallbackAsync("one", "target");
        await browser.ToCallbackAsync("one", "target");
        await RefusedAsync(browser, first, "not begun here");
    }

    [Fact]
    public async Task Callback_WithAStateTwice_IsRefused()
    {
        using var browser = await ReadyAsync();
        var callback = await browser.ToCallbackAsync("one", "target");
        await RefusedAsync(browser, new Uri($"{callback}&state=another"), "not begun here");
    }

    [Fact]
    public async Task Code_ShownAgain_IsRefused_EvenWithItsCookie()
    {
        using var browser = await ReadyAsync();
        var callback = await browser.ToCallbackAsync("one", "target");
        var cookie = browser.Cookie("gantry_sso")!;
        using (var first = await browser.SendAsync(HttpMethod.Get, callback)) Assert.Equal(HttpStatusCode.Redirect, first.StatusCode);

        using var thief = servers.NewBrowser();
        thief.Cookies(Registry.Address).Add(new Cookie(cookie.Name, cookie.Value, cookie.Path, cookie.Domain));
        await RefusedAsync(thief, callback, "does not take the code");
    }

    [Fact]
    public async Task Code_OfAnotherProvider_IsRefused()
    {
        using var browser = await ReadyAsync();
        var (one, two) = (await browser.ToCallbackAsync("one", "target"), await browser.ToCallbackAsync("two", "target"));
        var code = HttpUtility.ParseQueryString(one.Query)["code"]!;
        await RefusedAsync(browser, With(two, "code", code), "does not take the code");
    }

    [Fact]
    public async Task Answer_OfAnotherProvider_IsRefused()
    {
        // The mix-up of RFC 9207: begun with two, answered by one.
        using var browser = await ReadyAsync();
        var (one, two) = (await browser.ToCallbackAsync("one", "target"), await browser.ToCallbackAsync("two", "target"));
        var state = HttpUtility.ParseQueryString(two.Query)["state"]!;
        var mixed = new UriBuilder(With(one, "state", state)) { Path = two.AbsolutePath }.Uri;
        await RefusedAsync(browser, mixed, "another provider's");
    }

    [Fact]
    public async Task Answer_WithoutItsIssuer_IsRefused_WhereTheProviderNamesIt()
    {
        using var browser = await ReadyAsync();
        await RefusedAsync(browser, With(await browser.ToCallbackAsync("one", "target"), "iss", null), "another provider's");
    }

    [Fact]
    public async Task Cookie_OfAnotherProvidersSignOn_IsRefused()
    {
        using var browser = await ReadyAsync();
        var callback = await browser.ToCallbackAsync("one", "target");
        var cookie = browser.Cookie("gantry_sso")!;
        using var other = servers.NewBrowser();
        other.Cookies(Registry.Address).Add(new Cookie(cookie.Name, cookie.Value, "/sso/two", cookie.Domain));
        var moved = With(new UriBuilder(callback) { Path = "/sso/two/callback" }.Uri, "iss", servers.Two.Issuer);
        await RefusedAsync(other, moved, "not begun here");
    }

    [Fact]
    public async Task Cookie_Changed_IsRefused()
    {
        using var browser = await ReadyAsync();
        var callback = await browser.ToCallbackAsync("one", "target");
        var cookie = browser.Cookie("gantry_sso")!;
        var middle = cookie.Value.Length / 2;
        cookie.Value = cookie.Value[..middle] + (cookie.Value[middle] == 'A' ? 'B' : 'A') + cookie.Value[(middle + 1)..];
        await RefusedAsync(browser, callback, "has begun no sign-on");
    }

    [Fact]
    public async Task SignOn_ThatTookTooLong_IsRefused()
    {
        using var browser = await ReadyAsync();
        var callback = await browser.ToCallbackAsync("one", "target");
        Registry.Reseal(browser, attempt => attempt with { Expires = attempt.Expires - TimeSpan.FromMinutes(10) });
        await RefusedAsync(browser, callback, "too old");
    }

    [Fact]
    public async Task Verifier_ThatIsNotTheOneHashed_IsRefusedByTheProvider()
    {
        using var browser = await ReadyAsync();
        var callback = await browser.ToCallbackAsync("one", "target");
        Registry.Reseal(browser, attempt => attempt with { Verifier = new string('v', 43) });
        await RefusedAsync(browser, callback, "does not take the code");
    }

    [Fact]
    public async Task IdToken_OfAnotherSignOn_IsRefused()
    {
        using var browser = await ReadyAsync();
        var callback = await browser.ToCallbackAsync("one", "target");
        Registry.Reseal(browser, attempt => attempt with { Nonce = new string('n', 43) });
        await RefusedAsync(browser, callback, "(nonce)", HttpStatusCode.BadGateway);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("evil")]
    [InlineData("/a\r\nSet-Cookie: a=b")]
    [InlineData("/caf\u00e9")]
    [InlineData("")]
    public async Task Return_ToSomewhereElse_IsRefused(string address)
    {
        using var browser = servers.NewBrowser();
        await RefusedAsync(browser, new Uri(Registry.Address, $"/sso/one/login?return={Uri.EscapeDataString(address)}"), "return must be");
        Assert.Empty(browser.SetByRegistry);
    }

    [Fact]
    public async Task Return_LongerThanACookie_IsRefused()
    {
        using var browser = servers.NewBrowser();
        var address = "/" + new string('&', 1000);
        await RefusedAsync(browser, new Uri(Registry.Address, $"/sso/one/login?return={Uri.EscapeDataString(address)}"), "too long");
    }

    [Fact]
    public async Task UnknownProvider_IsNotThere()
    {
        using var browser = servers.NewBrowser();
        await RefusedAsync(browser, new Uri(Registry.Address, "/sso/three/login"), "no provider", HttpStatusCode.NotFound);
        await RefusedAsync(browser, new Uri(Registry.Address, "/sso/three/callback?code=a&state=b"), "no provider", HttpStatusCode.NotFound);
    }

    private async Task<Browser> ReadyAsync()
    {
        await servers.One.SetAsync("target", "target");
        await servers.Two.SetAsync("target", "target");
        return servers.NewBrowser();
    }

    private static async Task RefusedAsync(
        Browser browser, Uri address, string detail, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        using var answer = await browser.SendAsync(HttpMethod.Get, address);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{answer.StatusCode}: {text}");
        Assert.Contains(detail, text.Replace("\\u0027", "'"));
        Assert.Null(browser.Cookie(SessionLogins.CookieName));
    }

    private static Uri With(Uri address, string name, string? value)
    {
        var query = HttpUtility.ParseQueryString(address.Query);
        if (value is null) query.Remove(name);
        else query[name] = value;
        return new UriBuilder(address) { Query = query.ToString() }.Uri;
    }
}
