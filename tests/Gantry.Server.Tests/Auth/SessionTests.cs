using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Server.Auth;
using Gantry.Server.Tests.Ui;
using Gantry.TestKit;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Server.Tests.Auth;

/// <summary>A registry for the tests that leave its administrator's password as it is.</summary>
public sealed class SessionServer : IAsyncLifetime
{
    internal RegistryServer Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Registry = await StartAsync();

    public ValueTask DisposeAsync() => Registry.DisposeAsync();

    internal static Task<RegistryServer> StartAsync(params string[] settings) =>
        RegistryServer.StartAsync(["Access:PasswordHashIterations=100000", .. settings]);
}

/// <summary>Signing in to the web with a password, and what the cookie is worth afterwards.</summary>
public sealed class SessionTests(SessionServer shared) : IClassFixture<SessionServer>
{
    private static readonly (string Name, string Value) Own = ("Sec-Fetch-Site", "same-origin");

    private readonly RegistryServer _registry = shared.Registry;

    [Fact]
    public async Task Post_WithTheRightPassword_BeginsASession()
    {
        using var browser = new Browser(_registry.Address);
        using var answer = await PostAsync(browser, "admin", RegistryServer.Password, Own);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.EndsWith("; max-age=43200; path=/; samesite=lax; httponly", Assert.Single(browser.SetByRegistry), StringComparison.Ordinal);
        using var session = await browser.GetAsync("/session");
        var who = JsonDocument.Parse(await session.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(("admin", true, "Password"), (
            who.GetProperty("account").GetString(), who.GetProperty("administrator").GetBoolean(), who.GetProperty("method").GetString()));
        Assert.Contains("password", await _registry.TextsAsync("SELECT detail FROM events WHERE kind = 'login' AND account = 'admin'"));
    }

    [Fact]
    public async Task Post_WithAWrongPassword_IsRefused_AndThenThrottled()
    {
        await using var registry = await SessionServer.StartAsync(
            "Access:Throttle:FailuresPerAccountAndAddress=2", "Access:Throttle:FirstDelay=00:01:00");
        using var browser = new Browser(registry.Address);
        for (var i = 0; i < 2; i++)
        {
            using var wrong = await PostAsync(browser, "admin", "wrong-password", Own, registry);
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
            Assert.Equal("application/problem+json", wrong.Content.Headers.ContentType!.MediaType);
        }

        using var answer = await PostAsync(browser, "admin", RegistryServer.Password, Own, registry);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter!.Delta);
        Assert.Empty(browser.SetByRegistry);
        using var person = new PageBrowser(registry.Address);
        (await (await person.GetAsync("/signin")).SubmitAsync("signin", ("name", "admin"), ("password", RegistryServer.Password))).IsToBeSentAgain(429);
        Assert.Equal(["admin", "admin"], await registry.TextsAsync("SELECT account FROM events WHERE kind = 'login.failed'"));
    }

    [Theory]
    [InlineData("LoginsPerMinutePerAddress")]
    [InlineData("LoginsPerMinutePerAccount")]
    public async Task Post_BeyondTheLimitOfLogins_IsRefused(string limit)
    {
        await using var registry = await SessionServer.StartAsync($"Limits:{limit}=1");
        using var browser = await SignedInAsync(registry);
        using var answer = await PostAsync(browser, "admin", RegistryServer.Password, Own, registry);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Single(browser.SetByRegistry);
    }

    [Fact]
    public async Task Post_WithAnAccessToken_IsRefused()
    {
        // It may do less than its account, and a session would forget that.
        var token = AccessTokenText.Generate(AccountKind.Person);
        await _registry.ExecuteAsync(
            $"""
             INSERT INTO access_tokens (account_id, name, hash, scopes)
             SELECT id, 'test', '\x{Convert.ToHexString(AccessTokenText.HashOf(token))}', ARRAY['*'] FROM accounts
             """);
        using var client = _registry.Client("admin", token);
        using var known = await client.GetAsync("/v2/");
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);

        using var browser = new Browser(_registry.Address);
        using var answer = await PostAsync(browser, "admin", token, Own);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Empty(browser.SetByRegistry);
    }

    [Theory]
    [InlineData("Origin", "https://evil.example", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("X-Nothing", "of the kind", 200)]
    public async Task Post_OfAnotherSite_IsRefused(string header, string value, int status)
    {
        using var browser = new Browser(_registry.Address);
        using var answer = await PostAsync(browser, "admin", RegistryServer.Password, (header, value));
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("name=admin&password=test-password", "application/x-www-form-urlencoded", 415)]
    [InlineData("{\"name\":\"admin\"}", "application/json", 400)]
    [InlineData("[]", "application/json", 400)]
    [InlineData("{", "application/json", 400)]
    [InlineData("null", "application/json", 400)]
    [InlineData("", "application/json", 400)]
    public async Task Post_ThatIsNoNameAndPassword_IsRefused(string body, string type, int status)
    {
        using var browser = new Browser(_registry.Address);
        using var content = new StringContent(body, Encoding.UTF8, type);
        using var answer = await browser.SendAsync(HttpMethod.Post, new Uri(_registry.Address, "/session"), content, Own);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "same-origin", 204)]
    [InlineData("Sec-Fetch-Site", "none", 204)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Origin", "OWN", 204)]
    [InlineData("Origin", "http://127.0.0.1:1", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("X-Nothing", "of the kind", 403)]
    public async Task Logout_EndsTheSession_WhereTheBrowserSaysThatAPageOfOursAsks(string header, string value, int status)
    {
        using var browser = await SignedInAsync();
        value = value == "OWN" ? _registry.Address.GetLeftPart(UriPartial.Authority) : value;
        using var answer = await browser.SendAsync(HttpMethod.Post, new Uri(_registry.Address, "/sso/logout"), null, (header, value));

        Assert.Equal(status, (int)answer.StatusCode);
        await HoldsAsync(browser, holds: status != 204);
    }

    [Fact]
    public async Task NewPassword_EndsTheSession()
    {
        await using var registry = await SessionServer.StartAsync();
        using var browser = await SignedInAsync(registry);
        await HoldsAsync(browser, holds: true, registry);
        await registry.Services.GetRequiredService<Accounts>().ResetPasswordAsync(AccountName.Parse("admin"), null, Actor.Console);
        await HoldsAsync(browser, holds: false, registry);
    }

    [Fact]
    public async Task Session_PastItsTime_HasEnded()
    {
        using var browser = await SignedInAsync();
        var protector = _registry.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("Gantry.Session.v1");
        var cookie = browser.Cookie(SessionLogins.CookieName)!;
        var session = JsonSerializer.Deserialize(protector.Unprotect(WebEncoders.Base64UrlDecode(cookie.Value)), AuthJson.Default.Session)!;

        Put(session with { Expires = TimeProvider.System.GetUtcNow().AddMinutes(1) });
        await HoldsAsync(browser, holds: true);
        Put(session with { Expires = TimeProvider.System.GetUtcNow() });
        await HoldsAsync(browser, holds: false);

        void Put(Session changed) => cookie.Value = WebEncoders.Base64UrlEncode(
            protector.Protect(JsonSerializer.SerializeToUtf8Bytes(changed, AuthJson.Default.Session)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAA")]
    [InlineData("not base64!")]
    public async Task Cookie_ThatIsNotOurs_IsNoSession(string value)
    {
        using var browser = new Browser(_registry.Address);
        browser.Cookies(_registry.Address).Add(new Cookie(SessionLogins.CookieName, value, "/", _registry.Address.Host));
        await HoldsAsync(browser, holds: false);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Session_OutlivesTheServer_UntilItsKeyIsEncrypted()
    {
        await using var registry = await SessionServer.StartAsync();
        using var browser = await SignedInAsync(registry);
        await registry.RestartAsync();
        await HoldsAsync(browser, holds: true, registry);

        // The plain key may have been copied with the database: nothing that it sealed counts any more.
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        await registry.RestartAsync($"Access:KeyEncryptionKey={key}");
        await HoldsAsync(browser, holds: false, registry);
        var xml = Assert.Single(await registry.TextsAsync("SELECT xml FROM data_protection_keys"));
        Assert.DoesNotContain("masterKey", xml, StringComparison.Ordinal);

        using var again = await SignedInAsync(registry);
        await registry.RestartAsync($"Access:KeyEncryptionKey={key}");
        await HoldsAsync(again, holds: true, registry);
    }

    [Fact]
    public async Task Cookie_BehindHttps_IsSecure_AndKeepsToItsPath()
    {
        await using var registry = await SessionServer.StartAsync("Server:PublicUrl=https://registry.example/images");
        using var browser = new Browser(registry.Address);
        using var answer = await PostAsync(
            browser, "admin", RegistryServer.Password, ("Origin", "https://registry.example"), registry);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("; path=/images/; secure; ", Assert.Single(browser.SetByRegistry), StringComparison.Ordinal);
    }

    private async Task<Browser> SignedInAsync(RegistryServer? registry = null)
    {
        var browser = new Browser((registry ?? _registry).Address);
        using var answer = await PostAsync(browser, "admin", RegistryServer.Password, Own, registry);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return browser;
    }

    private Task<HttpResponseMessage> PostAsync(
        Browser browser, string name, string password, (string, string) header, RegistryServer? registry = null) =>
        browser.SendAsync(
            HttpMethod.Post, new Uri((registry ?? _registry).Address, "/session"), JsonContent.Create(new { name, password }), header);

    // Asked on whatever port the registry listens now: a cookie knows no ports.
    private async Task HoldsAsync(Browser browser, bool holds, RegistryServer? registry = null)
    {
        var cookie = browser.Cookie(SessionLogins.CookieName);
        using var client = (registry ?? _registry).Client(account: null);
        if (cookie is not null) client.DefaultRequestHeaders.Add("Cookie", $"{cookie.Name}={cookie.Value}");
        using var answer = await client.GetAsync("/session");
        Assert.Equal(holds ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.StatusCode);
    }
}
