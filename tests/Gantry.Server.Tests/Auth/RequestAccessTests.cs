using System.Net;

namespace Gantry.Server.Tests.Auth;

[Collection(typeof(AuthCollection))]
public sealed class RequestAccessTests(AuthServers servers)
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
    [InlineData("Full", "PUT", 400)]
    [InlineData("Full", "DELETE", 404)]
    public async Task WithoutCredential_WorksAsFarAsAnonymousAccessGoes(string anonymous, string method, int status)
    {
        var server = await servers.GetAsync(anonymous);
        using var response = await server.SendAsync(method, Manifest);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("GET", 404, 404)]
    [InlineData("PUT", 400, 400)]
    [InlineData("DELETE", 403, 404)]
    [Trait("Protocol", "D1.13")]
    public async Task Basic_WorksOnV2(string method, int jane, int admin)
    {
        var server = await servers.GetAsync();
        using var asJane = await server.SendAsync(method, Manifest, AuthServer.Jane);
        using var asAdmin = await server.SendAsync(method, Manifest, AuthServer.Admin);

        Assert.Equal(jane, (int)asJane.StatusCode);
        Assert.Equal(admin, (int)asAdmin.StatusCode);
    }

    [Fact]
    [Trait("Protocol", "D1.13")]
    public async Task Basic_ThatMayNot_IsDeniedAndToldWhy()
    {
        var server = await servers.GetAsync();
        using var response = await server.SendAsync("DELETE", Manifest, AuthServer.Jane);

        var error = (await AuthServer.JsonAsync(response)).GetProperty("errors")[0];
        Assert.Equal("DENIED", error.GetProperty("code").GetString());
        Assert.StartsWith(
            "asked for delete on a/b; granted is pull,push (role writer in a; a is public) (request ",
            error.GetProperty("detail").GetString());
        Assert.False(response.Headers.Contains("WWW-Authenticate"));
    }

    [Fact]
    public async Task WrongCredential_IsNotTakenForNone_WhereAnonymousAccessIsOpen()
    {
        var server = await servers.GetAsync("Full");
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
        var server = await servers.GetAsync();
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
        var server = await servers.GetAsync();
        var token = await server.BearerAsync("scope=repository:a/b:pull,push", AuthServer.Jane);
        using var response = await server.SendAsync("POST", $"/v2/a/b/blobs/uploads/?mount=sha256:{new string('0', 64)}&from=c/d", token);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task Catalog_IsForAccounts_AndForTokensThatSaySo()
    {
        var server = await servers.GetAsync();
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
        await using var server = await AuthServer.StartAsync("Access:Throttle:FirstDelay=00:01:00");
        for (var i = 0; i < 5; i++)
        {
            using var wrong = await server.SendAsync("GET", Manifest, AuthServer.Basic("jane", $"wrong {i}"));
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        foreach (var path in new[] { Manifest, "/v2/", "/token" })
        {
            using var response = await server.SendAsync("GET", path, AuthServer.Jane);
            Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
            Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
            var error = (await AuthServer.JsonAsync(response)).GetProperty("errors")[0];
            Assert.Equal("TOOMANYREQUESTS", error.GetProperty("code").GetString());
        }

        // Others are not held back, from the same address either.
        using var admin = await server.SendAsync("GET", "/v2/", AuthServer.Admin);
        Assert.Equal(HttpStatusCode.OK, admin.StatusCode);
    }
}
