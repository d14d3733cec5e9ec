using System.Net;

namespace Gantry.Server.Tests.Auth;

public sealed class RequestAccessTests
{
    private const string Manifest = "/v2/a/b/manifests/latest";

    [Theory]
    [InlineData("None", "GET", 401)]
    [InlineData("None", "PUT", 401)]
    [InlineData("None", "DELETE", 401)]
    [InlineData("Pull", "GET", 404)]
    [InlineData("Pull", "PUT", 401)]
    [InlineData("Pull", "DELETE", 401)]
    [InlineData("Full", "GET", 404)]
    [InlineData("Full", "PUT", 202)]
    [InlineData("Full", "DELETE", 404)]
    public async Task WithoutCredential_WorksAsFarAsAnonymousAccessGoes(string anonymous, string method, int status)
    {
        await using var server = await AuthServer.StartAsync(("Access:Anonymous", anonymous));
        using var response = await server.SendAsync(method, Manifest);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("GET", 404, 404)]
    [InlineData("PUT", 202, 202)]
    [InlineData("DELETE", 403, 404)]
    [Trait("Protocol", "D1.13")]
    public async Task Basic_WorksOnV2(string method, int jane, int admin)
    {
        await using var server = await AuthServer.StartAsync();
        using var asJane = await server.SendAsync(method, Manifest, AuthServer.Jane);
        using var asAdmin = await server.SendAsync(method, Manifest, AuthServer.Admin);

        Assert.Equal(jane, (int)asJane.StatusCode);
        Assert.Equal(admin, (int)asAdmin.StatusCode);
        if (jane == 202) Assert.Equal("jane", Assert.Single(asJane.Headers.GetValues("Test-Account")));
    }

    [Fact]
    [Trait("Protocol", "D1.13")]
    public async Task Basic_ThatMayNot_IsDeniedAndToldWhy()
    {
        await using var server = await AuthServer.StartAsync();
        using var response = await server.SendAsync("DELETE", Manifest, AuthServer.Jane);

        var error = (await AuthServer.JsonAsync(response)).GetProperty("errors")[0];
        Assert.Equal("DENIED", error.GetProperty("code").GetString());
        Assert.Equal(
            "asked for delete on a/b; granted is pull,push (accounts may pull and push)", error.GetProperty("detail").GetString());
        Assert.False(response.Headers.Contains("WWW-Authenticate"));
    }

    [Fact]
    public async Task WrongCredential_IsNotTakenForNone_WhereAnonymousAccessIsOpen()
    {
        await using var server = await AuthServer.StartAsync(("Access:Anonymous", "Full"));
        foreach (var wrong in new[] { AuthServer.Basic("jane", "wrong password"), "Bearer x.y.z", "Digest x", "Basic", "Bearer" })
        {
            using var response = await server.SendAsync("GET", Manifest, wrong);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("*")]
    public async Task Token_OfAnAdministrator_MayDelete_AndOfOthersMayNot(string action)
    {
        await using var server = await AuthServer.StartAsync();
        var query = $"scope=repository:a/b:{action}";
        using var asAdmin = await server.SendAsync("DELETE", Manifest, await server.BearerAsync(query, AuthServer.Admin));
        using var asJane = await server.SendAsync("DELETE", Manifest, await server.BearerAsync(query, AuthServer.Jane));
        Assert.Equal(HttpStatusCode.NotFound, asAdmin.StatusCode);
        Assert.Contains("insufficient_scope", AuthServer.ChallengeOf(asJane).Parameter);
    }

    [Fact]
    [Trait("Protocol", "D1.15")]
    public async Task Mount_WithATokenForTheTargetAlone_Passes()
    {
        await using var server = await AuthServer.StartAsync();
        var token = await server.BearerAsync("scope=repository:a/b:pull,push", AuthServer.Jane);
        using var response = await server.SendAsync("POST", "/v2/a/b/blobs/uploads/?mount=sha256:00&from=c/d", token);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task Catalog_IsForAccounts_AndForTokensThatSaySo()
    {
        await using var server = await AuthServer.StartAsync();
        using var basic = await server.SendAsync("GET", "/v2/_catalog", AuthServer.Jane);
        using var bearer = await server.SendAsync(
            "GET", "/v2/_catalog", await server.BearerAsync("scope=registry:catalog:*", AuthServer.Jane));
        using var other = await server.SendAsync(
            "GET", "/v2/_catalog", await server.BearerAsync("scope=repository:a:pull", AuthServer.Jane));

        Assert.Equal(HttpStatusCode.OK, basic.StatusCode);
        Assert.Equal(HttpStatusCode.OK, bearer.StatusCode);
        Assert.Contains("insufficient_scope", AuthServer.ChallengeOf(other).Parameter);
    }

    [Fact]
    public async Task WrongPasswords_EndIn429WithRetryAfter_OnV2AndAtTheTokenEndpoint()
    {
        await using var server = await AuthServer.StartAsync();
        for (var i = 0; i < 5; i++)
        {
            using var wrong = await server.SendAsync("GET", Manifest, AuthServer.Basic("jane", $"wrong {i}"));
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        foreach (var path in new[] { Manifest, "/v2/", "/token" })
        {
            using var response = await server.SendAsync("GET", path, AuthServer.Jane);
            Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
            Assert.Equal("1", response.Headers.RetryAfter!.ToString());
            var error = (await AuthServer.JsonAsync(response)).GetProperty("errors")[0];
            Assert.Equal("TOOMANYREQUESTS", error.GetProperty("code").GetString());
        }

        server.Time.Advance(TimeSpan.FromSeconds(1));
        using var later = await server.SendAsync("GET", "/v2/", AuthServer.Jane);
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }
}
