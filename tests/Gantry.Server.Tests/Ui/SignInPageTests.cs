using System.Net;
using Gantry.Core.Access;
using Gantry.Server.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

[Collection(typeof(PageCollection))]
public sealed class SignInPageTests(PageServer server)
{
    [Fact]
    public async Task SignIn_WithTheRightPassword_LeadsBack_AndTellsWho()
    {
        using var browser = await server.OpenAsync(null);
        var asked = await browser.GetAsync("/account/tokens?x=1");
        var page = await browser.FollowAsync(asked);
        var answer = await page.SubmitAsync("signin", ("name", "anna"), ("password", RegistryServer.Password));

        Assert.Equal("/account/tokens?x=1", answer.Location);
        Assert.Contains($">docker login {server.Registry.Address.Authority} -u anna</code>", (await browser.GetAsync("/account")).Is(200).Main, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anna", "wrong-password")]
    [InlineData("nobody-of-that-name", RegistryServer.Password)]
    [InlineData("anna", "gantry_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZab")]
    [InlineData("oidc", "no.issuer.token")]
    public async Task SignIn_WithAnythingElse_ShowsThePageAgain_WithoutASession(string name, string password)
    {
        using var browser = await server.OpenAsync(null);
        var answer = await (await browser.GetAsync("/signin")).SubmitAsync("signin", ("name", name), ("password", password));

        Assert.InRange((int)answer.Status, 400, 401);
        Assert.Contains("role=\"alert\"", answer.Main, StringComparison.Ordinal);
        Assert.Contains($"value=\"{name}\"", answer.Main, StringComparison.Ordinal);
        Assert.DoesNotContain(password, answer.Html, StringComparison.Ordinal);
        Assert.DoesNotContain(SessionLogins.CookieName, browser.Cookies.GetAllCookies().Select(cookie => cookie.Name));
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("/\\evil.example")]
    [InlineData("javascript:alert(1)")]
    public async Task SignIn_ThatIsToLeadElsewhere_LeadsHome(string back)
    {
        using var browser = await server.OpenAsync(null);
        var page = await browser.GetAsync($"/signin?return={Uri.EscapeDataString(back)}");
        Assert.Equal("/", (await page.SubmitAsync("signin", ("name", "anna"), ("password", RegistryServer.Password))).Location);
    }

    [Fact]
    public async Task SignOut_EndsTheSession()
    {
        using var browser = await server.OpenAsync("anna");
        var page = (await browser.GetAsync("/account")).Is(200);
        var after = await browser.FollowAsync(await page.SubmitAsync("signout"));

        Assert.Contains("You are signed out.", after.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("You are signed out.", (await browser.GetAsync("/signin")).Text, StringComparison.Ordinal);
        Assert.StartsWith("/signin?return=", (await browser.GetAsync("/account")).Is(303).Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Form_WithoutItsToken_IsRefused()
    {
        using var browser = await server.OpenAsync("anna");
        using var content = new FormUrlEncodedContent([KeyValuePair.Create("_handler", "make"), KeyValuePair.Create("name", "stolen"), KeyValuePair.Create("scope", "all")]);
        var answer = await browser.SendAsync(
            HttpMethod.Post, "/account/tokens", content, ("Origin", server.Registry.Address.GetLeftPart(UriPartial.Authority)));

        Assert.Contains("This form was opened too long ago", answer.Is(400).Text, StringComparison.Ordinal);
        Assert.Empty(await server.Registry.Get<AccessTokens>().ListAsync(AccountName.Parse("anna"), default));
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("X-Nothing", "of the kind")]
    public async Task Form_OfAnotherSite_IsRefused_EvenWithItsToken(string header, string value)
    {
        using var browser = await server.OpenAsync("stan");
        var page = await browser.GetAsync("/account/tokens");
        (await page.SubmitAsync("make", [(header, value)], [("name", "stolen"), ("scope", "all"), ("days", "7")])).Is(403);
        Assert.Empty(await server.Registry.Get<AccessTokens>().ListAsync(AccountName.Parse("stan"), default));
    }

    [Fact]
    public async Task Form_OpenedAsSomebodyElse_IsRefused()
    {
        using var browser = await server.OpenAsync("reader");
        var page = await browser.GetAsync("/account/tokens");
        await page.SubmitAsync("signout");
        await (await browser.GetAsync("/signin")).SubmitAsync("signin", ("name", "stan"), ("password", RegistryServer.Password));
        (await page.SubmitAsync("make", ("name", "other"), ("scope", "all"), ("days", "7"))).Is(400);
    }

    [Fact]
    public async Task V2_WithASession_SeesNobody()
    {
        using var browser = await server.OpenAsync();
        (await browser.GetAsync("/v2/acme/app/tags/list")).Is(401);
        (await browser.GetAsync("/v2/")).Is(401);
    }

    [Fact]
    public async Task NewPassword_EndsOtherSessions_AndKeepsThisOne()
    {
        var name = server.NewName("person");
        await server.Registry.CreateAccountAsync(name, RegistryServer.Password);
        using var here = await server.OpenAsync(name);
        using var there = await server.OpenAsync(name);
        var page = await here.GetAsync("/account");
        Assert.Contains("It is wrong.", (await page.SubmitAsync(
            "password-change", ("current", "guessed-password"), ("password", "another-password"), ("again", "another-password"))).Is(400).Text, StringComparison.Ordinal);
        Assert.Contains("It is not the same.", (await page.SubmitAsync(
            "password-change", ("current", RegistryServer.Password), ("password", "another-password"), ("again", "different"))).Is(400).Text, StringComparison.Ordinal);

        var done = await page.SubmitAsync(
            "password-change", ("current", RegistryServer.Password), ("password", "another-password"), ("again", "another-password"));
        Assert.Contains("The password is changed.", (await here.FollowAsync(done)).Is(200).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await there.GetAsync("/account")).Status);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Pages_OnAnotherNode_TakeTheSameSessionAndForms()
    {
        await using var other = await server.Registry.AnotherNodeAsync();
        using var browser = await server.OpenAsync("writer");
        var page = await browser.GetAsync("/account/tokens");
        browser.Address = other.Address;
        Assert.Contains("is made. Copy it now", (await page.SubmitAsync("make", ("name", "two nodes"), ("scope", "all"), ("days", "7"))).Is(200).Text, StringComparison.Ordinal);
    }
}
