using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Auth;

[Collection(typeof(AuthCollection))]
public sealed class TokenEndpointTests(AuthServers servers)
{
    [Fact]
    [Trait("Protocol", "D1.8")]
    public async Task Reply_HoldsBothNames_LifetimeAndTime()
    {
        var server = await servers.GetAsync();
        using var response = await server.SendAsync("GET", "/token?service=gantry&scope=repository:a:pull", AuthServer.Jane);

        var reply = await AuthServer.JsonAsync(response);
        Assert.Equal(reply.GetProperty("token").GetString(), reply.GetProperty("access_token").GetString());
        Assert.Equal(300, reply.GetProperty("expires_in").GetInt32());
        var issued = reply.GetProperty("issued_at").GetString()!;
        var at = DateTimeOffset.ParseExact(
            issued, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        Assert.InRange(at, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
        Assert.False(reply.TryGetProperty("refresh_token", out _));
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.True(response.Headers.CacheControl!.NoStore);
    }

    [Theory]
    [InlineData("scope=repository:a:pull&scope=repository:b/c:push", "a:pull b/c:push")]
    [InlineData("scope=repository:a:pull%20repository:b/c:push", "a:pull b/c:push")]
    [InlineData("scope=repository:a:pull+repository:b/c:push", "a:pull b/c:push")]
    [InlineData("scope=repository:a:pull&scope=repository:a:push", "a:pull,push")]
    [InlineData("scope=repository:a:pull,push,pull", "a:pull,push")]
    [InlineData("scope=", "")]
    [InlineData("", "")]
    [InlineData("scope=user:a:pull&scope=repository:A:pull&scope=repository:a:fly&scope=nonsense", "")]
    [InlineData("scope=repository:h.example:5000/a:pull", "")]
    [InlineData("scope=registry:catalog:*", "catalog:*")]
    [Trait("Protocol", "D1.4")]
    public async Task Scopes_MayBeRepeatedAndJoined_AndAddUp(string query, string granted)
    {
        var server = await servers.GetAsync();
        Assert.Equal(granted, GrantsOf(await server.BearerAsync(query, AuthServer.Jane)));
    }

    [Fact]
    [Trait("Protocol", "D1.5")]
    public async Task Grant_IsTheIntersection_AndLessIsNoError()
    {
        var server = await servers.GetAsync("Pull");
        Assert.Equal("a:pull", GrantsOf(await server.BearerAsync("scope=repository:a:pull,push,delete")));
        Assert.Equal("", GrantsOf(await server.BearerAsync("scope=repository:a:push")));
        Assert.Equal("a:pull,push", GrantsOf(await server.BearerAsync("scope=repository:a:*", AuthServer.Jane)));
        Assert.Equal("a:pull,push,delete", GrantsOf(await server.BearerAsync("scope=repository:a:*", AuthServer.Admin)));
    }

    [Fact]
    public async Task Get_WithoutCredential_WhereNothingIsOpen_Returns401ThatDockerCanShow()
    {
        var server = await servers.GetAsync();
        using var response = await server.SendAsync("GET", "/token?scope=repository:a:pull");
        await AssertUnauthorizedAsync(response, "authentication required");
    }

    [Fact]
    public async Task WrongPassword_Returns401ThatDockerCanShow_OnGetAndPost()
    {
        var server = await servers.GetAsync();
        using var get = await server.SendAsync("GET", "/token", AuthServer.Basic("jane", "wrong password"));
        using var post = await server.PostAsync(("grant_type", "password"), ("username", "nobody"), ("password", "wrong password"));
        await AssertUnauthorizedAsync(get, "incorrect username or password");
        await AssertUnauthorizedAsync(post, "incorrect username or password");
    }

    [Fact]
    [Trait("Protocol", "D1.6")]
    public async Task Post_WithPassword_GrantsWhatJoinedScopesAskFor()
    {
        var server = await servers.GetAsync();
        using var response = await server.PostAsync(
            ("grant_type", "password"), ("client_id", "containerd-client"), ("service", "gantry"), ("username", "jane"),
            ("password", AuthServer.JanePassword), ("scope", "repository:a:pull repository:b:pull,push"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var reply = await AuthServer.JsonAsync(response);
        Assert.Equal("a:pull b:pull,push", GrantsOf(reply.GetProperty("access_token").GetString()!));
        Assert.False(reply.TryGetProperty("refresh_token", out _));
    }

    [Theory]
    [InlineData("grant_type=client_credentials", "unsupported_grant_type")]
    [InlineData("grant_type=", "invalid_request")]
    [InlineData("", "invalid_request")]
    [InlineData("grant_type=password", "invalid_request")]
    [InlineData("grant_type=password&username=jane", "invalid_request")]
    [Trait("Protocol", "D1.6")]
    public async Task Post_OfAnotherKind_Returns400WithAnOAuth2Error(string body, string error)
    {
        var server = await servers.GetAsync();
        foreach (var type in new[] { "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8" })
        {
            using var response = await server.SendAsync("POST", "/token", content: Content(body, type));
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal(error, (await AuthServer.JsonAsync(response)).GetProperty("error").GetString());
        }
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("text/plain")]
    [InlineData(null)]
    [Trait("Protocol", "D1.6")]
    public async Task Post_WithAnotherContentType_Returns400_Never415(string? type)
    {
        var server = await servers.GetAsync();
        using var response = await server.SendAsync("POST", "/token", content: Content("grant_type=password", type));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_request", (await AuthServer.JsonAsync(response)).GetProperty("error").GetString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Post_LargerThanItsLimit_Returns400(bool chunked)
    {
        var server = await servers.GetAsync();
        using var content = Content($"grant_type=password&username=jane&password={new string('x', 70_000)}", "application/x-www-form-urlencoded");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/token") { Content = content };
        request.Headers.TransferEncodingChunked = chunked;
        using var response = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [Trait("Protocol", "D1.7")]
    public async Task RefreshToken_IsGivenWhenAskedFor_AndWorks(string method)
    {
        var server = await servers.GetAsync();
        using var login = method == "GET"
            ? await server.SendAsync("GET", "/token?account=jane&client_id=docker&offline_token=true&service=gantry", AuthServer.Jane)
            : await server.PostAsync(("grant_type", "password"), ("username", "jane"), ("password", AuthServer.JanePassword), ("access_type", "offline"));
        var refresh = (await AuthServer.JsonAsync(login)).GetProperty("refresh_token").GetString()!;

        using var response = await server.PostAsync(
            ("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", "docker"), ("service", "gantry"),
            ("scope", "repository:a:pull,push"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var reply = await AuthServer.JsonAsync(response);
        Assert.Equal("a:pull,push", GrantsOf(reply.GetProperty("access_token").GetString()!));
        Assert.False(reply.TryGetProperty("refresh_token", out _));

        using var asBearer = await server.SendAsync("GET", "/v2/", $"Bearer {refresh}");
        Assert.Contains("invalid_token", AuthServer.ChallengeOf(asBearer).Parameter);
    }

    [Fact]
    [Trait("Protocol", "D1.7")]
    public async Task RefreshToken_EndsWithThePassword_AndABearerTokenIsNone()
    {
        var server = await servers.GetAsync();
        await server.CreateAccountAsync("john", "john's password");
        using var login = await server.SendAsync(
            "GET", "/token?offline_token=true", AuthServer.Basic("john", "john's password"));
        var reply = await AuthServer.JsonAsync(login);
        await server.Get<Accounts>().ResetPasswordAsync(AccountName.Parse("john"), null, Actor.Console);

        foreach (var name in new[] { "refresh_token", "access_token" })
        {
            using var response = await server.PostAsync(
                ("grant_type", "refresh_token"), ("refresh_token", reply.GetProperty(name).GetString()!));
            await AssertUnauthorizedAsync(response, "the login has expired or was ended; log in again");
        }
    }

    [Fact]
    public async Task Get_WithMoreScopesThanTheLimit_Returns400()
    {
        var server = await servers.GetAsync();
        var query = string.Join('&', Enumerable.Repeat("scope=x", 257));
        using var response = await server.SendAsync("GET", $"/token?{query}", AuthServer.Jane);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Keys_ArePublished_PublicPartsOnly_AndVerifyWhatIsIssued()
    {
        var server = await servers.GetAsync();
        var token = (await server.BearerAsync("scope=repository:a:pull", AuthServer.Jane))["Bearer ".Length..].Split('.');
        using var response = await server.SendAsync("GET", "/.well-known/jwks.json");

        var key = Assert.Single((await AuthServer.JsonAsync(response)).GetProperty("keys").EnumerateArray());
        Assert.Equal(["alg", "crv", "kid", "kty", "use", "x", "y"], key.EnumerateObject().Select(member => member.Name).Order());
        using var pair = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Bytes(key.GetProperty("x").GetString()!), Y = Bytes(key.GetProperty("y").GetString()!) },
        });
        Assert.True(pair.VerifyData(Encoding.ASCII.GetBytes($"{token[0]}.{token[1]}"), Bytes(token[2]), HashAlgorithmName.SHA256));
    }

    [Fact]
    public async Task RandomQueriesAndForms_NeverAnswer500()
    {
        var server = await servers.GetAsync("Pull");
        const string alphabet = "repository:/%20&=scope+,*pull%00%ff%zz();";
        var random = new Random(20261121);
        for (var i = 0; i < 1_000; i++)
        {
            var noise = new string([.. Enumerable.Range(0, random.Next(60)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            using var get = await server.SendAsync("GET", $"/token?scope={noise}");
            Assert.True((int)get.StatusCode is 200 or 400, $"{get.StatusCode}: {noise}");
            using var post = await server.SendAsync(
                "POST", "/token", content: Content($"grant_type=refresh_token&refresh_token={noise}&{noise}", "application/x-www-form-urlencoded"));
            Assert.True((int)post.StatusCode is 400 or 401, $"{post.StatusCode}: {noise}");
        }
    }

    private static async Task AssertUnauthorizedAsync(HttpResponseMessage response, string message)
    {
        Assert.Equal("Basic", AuthServer.ChallengeOf(response).Scheme);
        var body = await AuthServer.JsonAsync(response);
        Assert.Equal("UNAUTHORIZED", body.GetProperty("errors")[0].GetProperty("code").GetString());
        Assert.Equal(message, body.GetProperty("errors")[0].GetProperty("message").GetString());
        Assert.Equal(
            $"invalid_grant (request {response.Header("X-Request-Id")})", body.GetProperty("errors")[0].GetProperty("detail").GetString());
        Assert.Equal("invalid_grant", body.GetProperty("error").GetString());
        Assert.Equal(message, body.GetProperty("error_description").GetString());
    }

    private static StringContent Content(string body, string? type)
    {
        var content = new StringContent(body);
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        return content;
    }

    private static string GrantsOf(string token)
    {
        var claims = JsonDocument.Parse(Bytes(token.Split('.')[1])).RootElement;
        return string.Join(' ', claims.GetProperty("access").EnumerateArray().Select(entry =>
            $"{entry.GetProperty("name").GetString()}:{string.Join(',', entry.GetProperty("actions").EnumerateArray())}"));
    }

    private static byte[] Bytes(string base64Url) => System.Buffers.Text.Base64Url.DecodeFromChars(base64Url);
}
