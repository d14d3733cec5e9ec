using System.Net;
using System.Text;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Auth;

[Collection(typeof(AuthCollection))]
public sealed class ChallengeTests(AuthServers servers)
{
    [Theory]
    [InlineData("None")]
    [InlineData("Pull")]
    [InlineData("Full")]
    [Trait("Protocol", "D1.1")]
    public async Task Base_WithoutCredential_Returns401WithAChallenge_WhateverIsOpen(string anonymous)
    {
        var server = await servers.GetAsync(anonymous);
        using var response = await server.SendAsync("GET", "/v2/");

        var challenge = AuthServer.ChallengeOf(response);
        Assert.Equal("Bearer", challenge.Scheme);
        Assert.Equal($"realm=\"{server.Address.GetLeftPart(UriPartial.Authority)}/token\",service=\"gantry\"", challenge.Parameter);
        Assert.Equal("UNAUTHORIZED", (await AuthServer.JsonAsync(response)).GetProperty("errors")[0].GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("Pull")]
    [InlineData("Full")]
    [Trait("Protocol", "D1.1")]
    public async Task Base_WithAnAnonymousToken_Returns200(string anonymous)
    {
        var server = await servers.GetAsync(anonymous);
        using var response = await server.SendAsync("GET", "/v2/", await server.BearerAsync("service=gantry"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    [Trait("Protocol", "D1.1")]
    public async Task ClientsWithoutALogin_UnderDefaultSettings_GetATokenThatHoldsWhatIsPublic()
    {
        await using var server = await AuthServer.StartAsync();
        await server.AddNamespaceAsync("closed");
        using var probe = await server.SendAsync("GET", "/v2/");
        Assert.Equal("Bearer", AuthServer.ChallengeOf(probe).Scheme);

        // What docker pull without a login does next, for something public, something closed and something missing.
        foreach (var (repository, next) in new[] { ("a/b", HttpStatusCode.NotFound), ("closed/b", HttpStatusCode.Unauthorized), ("no/b", HttpStatusCode.Unauthorized) })
        {
            var token = await server.BearerAsync($"service=gantry&scope=repository:{repository}:pull");
            using var response = await server.SendAsync("GET", $"/v2/{repository}/manifests/v1", token);
            Assert.Equal(next, response.StatusCode);
            if (next == HttpStatusCode.NotFound) continue;
            var challenge = AuthServer.ChallengeOf(response).Parameter;
            Assert.Contains($"scope=\"repository:{repository}:pull\"", challenge);
            Assert.Contains("insufficient_scope", challenge);
        }
    }

    [Fact]
    [Trait("Protocol", "D1.1")]
    public async Task Base_WithALogin_Returns200()
    {
        var server = await servers.GetAsync();
        using var bearer = await server.SendAsync("GET", "/v2/", await server.BearerAsync("service=gantry", AuthServer.Jane));
        using var basic = await server.SendAsync("GET", "/v2/", AuthServer.Jane);
        Assert.Equal(HttpStatusCode.OK, bearer.StatusCode);
        Assert.Equal(HttpStatusCode.OK, basic.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/v2/a/b/manifests/latest", "repository:a/b:pull")]
    [InlineData("HEAD", "/v2/a/b/manifests/latest", "repository:a/b:pull")]
    [InlineData("GET", "/v2/a/b/tags/list", "repository:a/b:pull")]
    [InlineData("POST", "/v2/a/b/blobs/uploads/", "repository:a/b:pull,push")]
    [InlineData("PATCH", "/v2/a/b/blobs/uploads/1", "repository:a/b:pull,push")]
    [InlineData("PUT", "/v2/a/b/manifests/latest", "repository:a/b:pull,push")]
    [InlineData("DELETE", "/v2/a/b/manifests/latest", "repository:a/b:delete")]
    [InlineData("POST", "/v2/a/b/blobs/uploads/?mount=sha256:00&from=c/d", "repository:a/b:pull,push repository:c/d:pull")]
    [InlineData("POST", "/v2/a/b/blobs/uploads/?mount=sha256:00&from=a/b", "repository:a/b:pull,push")]
    [InlineData("POST", "/v2/a/b/blobs/uploads/?mount=sha256:00&from=../C", "repository:a/b:pull,push")]
    [InlineData("POST", "/v2/a/b/blobs/uploads/?mount=sha256:00", "repository:a/b:pull,push")]
    [InlineData("GET", "/v2/_catalog", "registry:catalog:*")]
    [Trait("Protocol", "D1.2")]
    [Trait("Protocol", "D1.3")]
    public async Task Every401_NamesTheScopeOfItsRequest_InOneBearerLine(string method, string path, string scope)
    {
        var server = await servers.GetAsync();
        foreach (var authorization in new[] { null, "", "Bearer x.y.z", "Basic AAAA", "Digest x", AuthServer.Basic("jane", "wrong password") })
        {
            using var response = await server.SendAsync(method, path, authorization);
            var challenge = AuthServer.ChallengeOf(response);
            Assert.Equal("Bearer", challenge.Scheme);
            Assert.Contains($"scope=\"{scope}\"", challenge.Parameter);
        }
    }

    [Fact]
    [Trait("Protocol", "D1.10")]
    public async Task ValidToken_ThatGrantsTooLittle_IsInsufficientScope_AndSaysWhatIsNeeded()
    {
        var server = await servers.GetAsync();
        var token = await server.BearerAsync("scope=repository:a/b:pull", AuthServer.Jane);

        using var response = await server.SendAsync("PUT", "/v2/a/b/manifests/latest", token);

        var challenge = AuthServer.ChallengeOf(response).Parameter!;
        Assert.Contains("error=\"insufficient_scope\"", challenge);
        Assert.Contains("scope=\"repository:a/b:pull,push\"", challenge);
        var detail = (await AuthServer.JsonAsync(response)).GetProperty("errors")[0].GetProperty("detail").GetString();
        Assert.StartsWith("asked for pull,push on a/b; the token grants pull, and another one can grant it (request ", detail);
    }

    [Fact]
    [Trait("Protocol", "D1.10")]
    [Trait("Protocol", "D1.14")]
    public async Task BadAndExpiredTokens_AreInvalidToken()
    {
        var server = await servers.GetAsync();
        var token = await server.EarlierBearerAsync("repository:a/b:pull", TimeSpan.FromSeconds(350));
        using var valid = await server.SendAsync("GET", "/v2/a/b/manifests/latest", token);
        Assert.Equal(HttpStatusCode.NotFound, valid.StatusCode);

        var expired = await server.EarlierBearerAsync("repository:a/b:pull", TimeSpan.FromSeconds(361));
        foreach (var bad in new[] { expired, "Bearer x", "Bearer a.b.c", "bearer a.b.c.d.e", $"Bearer {new string('a', 20_000)}", $"{token}x" })
        {
            using var response = await server.SendAsync("GET", "/v2/a/b/manifests/latest", bad);
            Assert.Contains("error=\"invalid_token\"", AuthServer.ChallengeOf(response).Parameter);
        }
    }

    [Fact]
    [Trait("Protocol", "D1.9")]
    public async Task TokenForARepositoryThatDoesNotExist_IsValid_AndTheAnswerIs404()
    {
        var server = await servers.GetAsync();
        foreach (var scope in new[] { "repository:new:pull", "repository:new:pull,push" })
        {
            using var response = await server.SendAsync(
                "HEAD", "/v2/new/manifests/latest", await server.BearerAsync($"scope={scope}", AuthServer.Jane));
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("", "http://registry.example:5443/token")]
    [InlineData("https://public.example", "https://public.example/token")]
    [InlineData("https://public.example:444/base/", "https://public.example:444/base/token")]
    [Trait("Protocol", "D1.11")]
    public async Task Realm_HasTheHostOfTheRequest_OrTheConfiguredOne(string publicUrl, string realm)
    {
        await using var server = await AuthServer.StartAsync($"Server:PublicUrl={publicUrl}");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/") { Headers = { Host = "registry.example:5443" } };
        using var response = await server.Client.SendAsync(request);
        Assert.StartsWith($"realm=\"{realm}\",", AuthServer.ChallengeOf(response).Parameter);
    }

    [Fact]
    [Trait("Protocol", "D1.11")]
    public async Task Realm_OfAClientWithoutHost_IsTheAddressItConnectedTo()
    {
        var server = await servers.GetAsync();
        var answer = await RawRequest.SendAsync(server.Address, "GET /v2/ HTTP/1.0\r\n\r\n");
        Assert.Contains($"realm=\"http://127.0.0.1:{server.Address.Port}/token\"", answer);
    }

    [Theory]
    [InlineData("GET", "/v2/")]
    [InlineData("GET", "/v2/a/manifests/latest")]
    [InlineData("GET", "/token")]
    [Trait("Protocol", "D1.12")]
    public async Task Answers_SetNoCookies(string method, string path)
    {
        var server = await servers.GetAsync("Full");
        foreach (var authorization in new[] { null, AuthServer.Jane, "Bearer x" })
        {
            using var response = await server.SendAsync(method, path, authorization);
            Assert.False(response.Headers.Contains("Set-Cookie"));
        }
    }

    [Fact]
    [Trait("Protocol", "D2.35")]
    public async Task Body_IsAskedForOnlyAfterAccess()
    {
        var server = await servers.GetAsync();
        var head = $"PUT /v2/a/manifests/x HTTP/1.1\r\nHost: {server.Address.Authority}\r\nContent-Length: 2\r\n"
            + "Expect: 100-continue\r\nConnection: close\r\n";

        var refused = await RawRequest.SendAsync(server.Address, $"{head}\r\n");
        Assert.StartsWith("HTTP/1.1 401 ", refused);
        Assert.DoesNotContain("100 Continue", refused);

        var allowed = await RawRequest.SendAsync(server.Address, $"{head}Authorization: {AuthServer.Jane}\r\n\r\n", then: "{}");
        Assert.StartsWith("HTTP/1.1 100 Continue\r\n", allowed);
        Assert.Contains("MANIFEST_INVALID", allowed);
    }

    [Fact]
    public async Task TwoAuthorizationHeaders_AreRefused()
    {
        var server = await servers.GetAsync();
        var answer = await RawRequest.SendAsync(
            server.Address,
            $"GET /v2/ HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: {AuthServer.Jane}\r\n"
            + $"Authorization: {AuthServer.Admin}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 401 ", answer);
    }

    [Fact]
    public async Task RandomAuthorizationHeaders_NeverAnswer500()
    {
        var server = await servers.GetAsync();
        var token = await server.BearerAsync("scope=repository:a:pull", AuthServer.Jane);
        const string alphabet = "BasicearDgtk ,;=:.-_/\"\\+AZaz09\té\u00a0";
        var random = new Random(20261121);
        for (var i = 0; i < 1_000; i++)
        {
            var noise = new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            var authorization = random.Next(5) switch
            {
                0 => noise,
                1 => $"Basic {noise}",
                2 => $"Basic {Convert.ToBase64String(Encoding.Latin1.GetBytes(noise))}",
                3 => $"Bearer {noise}",
                _ => token.Insert(random.Next(token.Length), noise),
            };
            using var response = await server.SendAsync("GET", "/v2/a/manifests/x", authorization);
            Assert.True((int)response.StatusCode is 400 or 401 or 404, $"{response.StatusCode}: {authorization}");
        }
    }
}
