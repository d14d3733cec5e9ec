using System.Net;
using System.Text.Json;
using System.Web;
using Gantry.Core.Access;
using Gantry.Oci;
using Gantry.Server.Auth;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Server.Tests.Auth;

/// <summary>People come through a certified provider, run by the test, and get what its groups give.</summary>
[Trait("Speed", "Slow")]
public sealed class SingleSignOnTests(SignOnServers servers) : IClassFixture<SignOnServers>
{
    private RegistryServer Registry => servers.Registry;

    [Fact]
    public async Task List_NamesEveryProvider()
    {
        using var browser = servers.NewBrowser();
        using var answer = await browser.GetAsync("/sso");

        var choices = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.EnumerateArray().ToList();
        Assert.Equal(["one", "The other"], choices.Select(choice => choice.GetProperty("displayName").GetString()));
        Assert.Equal($"{Registry.Address}sso/two/login", choices[1].GetProperty("url").GetString());
    }

    [Fact]
    public async Task Login_SendsToTheProvider_WithStateNonceAndChallenge()
    {
        using var browser = servers.NewBrowser();
        using var answer = await browser.GetAsync("/sso/one/login?return=/here%3Fa=b");

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        var address = answer.Headers.Location!;
        var query = HttpUtility.ParseQueryString(address.Query);
        Assert.StartsWith(servers.One.Issuer, address.AbsoluteUri);
        Assert.Equal("code", query["response_type"]);
        Assert.Equal("S256", query["code_challenge_method"]);
        Assert.Equal($"{Registry.Address}sso/one/callback", query["redirect_uri"]);
        Assert.All(["state", "nonce", "code_challenge"], name => Assert.Equal(43, query[name]!.Length));
        var cookie = Assert.Single(browser.SetByRegistry);
        Assert.Contains("path=/sso/one; samesite=lax; httponly", cookie);
        Assert.DoesNotContain(query["state"]!, cookie);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    public async Task SignIn_MakesAnAccountAndASession(string provider)
    {
        var person = $"new-at-{provider}";
        await (provider == "one" ? servers.One : servers.Two).SetAsync(person, $"New.{provider}");
        using var browser = servers.NewBrowser();
        using var answer = await browser.SignInAsync(provider, person, "/ui/repositories?page=2");

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/ui/repositories?page=2", answer.Headers.Location!.OriginalString);
        var cookie = Assert.Single(browser.SetByRegistry, text => text.StartsWith("gantry_session=", StringComparison.Ordinal));
        Assert.EndsWith("; path=/; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        Assert.Null(browser.Cookie("gantry_sso"));
        using var session = await browser.GetAsync("/session");
        var who = JsonDocument.Parse(await session.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal($"new.{provider}", who.GetProperty("account").GetString());
        Assert.Equal("SingleSignOn", who.GetProperty("method").GetString());
        Assert.False(who.GetProperty("administrator").GetBoolean());
        Assert.Equal(
            ["account.create", "login"],
            await Registry.TextsAsync($"SELECT kind FROM events WHERE account = 'new.{provider}' ORDER BY id"));
    }

    [Fact]
    public async Task Session_Alone_OpensNothingUnderV2()
    {
        await servers.One.SetAsync("web-only", "web-only");
        using var browser = servers.NewBrowser();
        await browser.SignedInAsync("one", "web-only");

        using var registry = await browser.GetAsync("/v2/");
        using var token = await browser.GetAsync("/token?scope=repository:a/b:pull");
        Assert.Equal(HttpStatusCode.Unauthorized, registry.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, token.StatusCode);
        Assert.False(registry.Headers.Contains("Set-Cookie"));
    }

    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    public async Task Group_GivesItsRole_AndALaterLoginTakesIt(string provider)
    {
        var (people, person) = (provider == "one" ? servers.One : servers.Two, $"member-at-{provider}");
        await Registry.ExecuteAsync(
            $"""
             INSERT INTO namespaces (name) VALUES ('of-{provider}');
             INSERT INTO memberships (namespace_id, group_name, role)
             SELECT id, '{provider}/developers', 'writer' FROM namespaces WHERE name = 'of-{provider}'
             """);
        using var browser = servers.NewBrowser();

        await people.SetAsync(person, person, "developers", "others");
        await browser.SignedInAsync(provider, person);
        Assert.Equal(RepositoryActions.Pull | RepositoryActions.Push, await RightsAsync(person, $"of-{provider}/app"));

        await people.SetAsync(person, person, "others");
        await browser.SignedInAsync(provider, person);
        Assert.Equal(RepositoryActions.None, await RightsAsync(person, $"of-{provider}/app"));
        Assert.Equal([$"{provider}/others"], await Registry.TextsAsync(
            $"SELECT g.name FROM account_groups g JOIN accounts a ON a.id = g.account_id WHERE a.name = '{person}'"));
    }

    [Fact]
    public async Task SameSubject_AtTwoProviders_IsTwoAccounts()
    {
        await servers.One.SetAsync("same", "same");
        await servers.Two.SetAsync("same", "same");
        using var browser = servers.NewBrowser();

        var first = (await browser.SignedInAsync("one", "same")).GetProperty("account").GetString();
        var second = (await browser.SignedInAsync("two", "same")).GetProperty("account").GetString();
        var again = (await browser.SignedInAsync("one", "same")).GetProperty("account").GetString();

        Assert.NotEqual(first, second);
        Assert.Equal(first, again);
    }

    [Fact]
    public async Task NameClaim_Missing_IsTheAddressBeforeTheAt()
    {
        await servers.One.SetAsync("nameless.person", name: null);
        using var browser = servers.NewBrowser();
        Assert.Equal("nameless.person", (await browser.SignedInAsync("one", "nameless.person")).GetProperty("account").GetString());
    }

    [Fact]
    public async Task Provider_SaysNo_NobodyIsSignedIn()
    {
        using var browser = servers.NewBrowser();
        using var answer = await browser.SignInAsync("one", subject: null);
        Assert.Contains("access_denied", await ProblemAsync(answer, HttpStatusCode.Forbidden, browser));
    }

    [Fact]
    public async Task KeyRotation_IsNoticedByTheNextSignIn()
    {
        await servers.Two.SetAsync("rotated", "rotated");
        using var browser = servers.NewBrowser();
        await browser.SignedInAsync("two", "rotated");
        await servers.Two.RotateAsync();
        await browser.SignedInAsync("two", "rotated");
    }

    [Fact]
    public async Task DisabledAccount_EndsItsSession_AndDoesNotComeBack()
    {
        await servers.One.SetAsync("leaver", "leaver");
        using var browser = servers.NewBrowser();
        await browser.SignedInAsync("one", "leaver");

        await Registry.ExecuteAsync("UPDATE accounts SET disabled_at = now() WHERE name = 'leaver'");
        using var session = await browser.GetAsync("/session");
        Assert.Equal(HttpStatusCode.Unauthorized, session.StatusCode);
        using var answer = await browser.SignInAsync("one", "leaver");
        Assert.Contains("disabled", await ProblemAsync(answer, HttpStatusCode.Forbidden, browser));
        Assert.Equal(["one: the account is disabled"], await Registry.TextsAsync(
            "SELECT detail FROM events WHERE kind = 'login.failed' AND account = 'leaver' AND request_id IS NOT NULL"));
    }

    [Fact]
    public async Task Groups_DecideWhoMayComeAndWhoAdministers()
    {
        await servers.One.SetAsync("boss", "boss", "staff", "admins");
        await using var registry = await RegistryServer.StartAsync(
        [
            .. servers.One.Settings("one"), "SingleSignOn:Providers:one:AllowedGroups:0=staff",
            "SingleSignOn:Providers:one:AdministratorGroups:0=admins",
        ]);
        using var browser = new Browser(registry.Address);
        Assert.True((await browser.SignedInAsync("one", "boss")).GetProperty("administrator").GetBoolean());

        await servers.One.SetAsync("boss", "boss", "staff");
        Assert.False((await browser.SignedInAsync("one", "boss")).GetProperty("administrator").GetBoolean());

        await servers.One.SetAsync("boss", "boss", "Staff");
        using var other = new Browser(registry.Address);
        using var answer = await other.SignInAsync("one", "boss");
        Assert.Contains("none of your groups", await ProblemAsync(answer, HttpStatusCode.Forbidden, other));
        Assert.Equal(["boss"], await registry.TextsAsync("SELECT account FROM events WHERE kind = 'login.failed'"));
    }

    [Fact]
    public async Task Stranger_InNoAllowedGroup_LeavesNoTrace()
    {
        await servers.One.SetAsync("stranger", "stranger");
        await using var registry = await RegistryServer.StartAsync(
            [.. servers.One.Settings("one"), "SingleSignOn:Providers:one:AllowedGroups:0=staff"]);
        using var browser = new Browser(registry.Address);
        using var answer = await browser.SignInAsync("one", "stranger");

        await ProblemAsync(answer, HttpStatusCode.Forbidden, browser);
        Assert.Equal(["admin"], await registry.TextsAsync("SELECT name FROM accounts"));
        Assert.Empty(await registry.TextsAsync("SELECT kind FROM events WHERE kind = 'login.failed'"));
    }

    /// <summary>The registry's answer names its request and begins no session.</summary>
    private static async Task<string> ProblemAsync(HttpResponseMessage answer, HttpStatusCode status, Browser browser)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{answer.StatusCode}: {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal(Assert.Single(answer.Headers.GetValues("X-Request-Id")), problem.GetProperty("requestId").GetString());
        var set = answer.Headers.TryGetValues("Set-Cookie", out var all) ? all : [];
        Assert.DoesNotContain(set, each => each.StartsWith(SessionLogins.CookieName, StringComparison.Ordinal));
        return problem.GetProperty("detail").GetString()!;
    }

    private async Task<RepositoryActions> RightsAsync(string account, string repository)
    {
        var row = await Registry.Services.GetRequiredService<Accounts>().FindRowAsync(AccountName.Parse(account), default);
        var policy = Registry.Services.GetRequiredService<AccessPolicy>();
        var who = new Account(row!.Id, AccountName.Parse(row.Name));
        return (await policy.DecideAsync(who, RepositoryName.Parse(repository))).Granted;
    }
}
