using System.Net;
using System.Text.Json;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Api;

/// <summary>Keyless logins set up over the API: a token of an issuer stands for a robot, until the trust is removed.</summary>
[Trait("Speed", "Slow")]
public sealed class TrustApiTests : IAsyncLifetime
{
    private TestIssuer _issuer = null!;
    private RegistryServer _server = null!;
    private HttpClient _admin = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await RegistryServer.StartAsync(_issuer.Settings("ci"));
        _admin = _server.Client();
        await _server.AddNamespaceAsync("acme");
        await _server.CreateRobotAsync("acme", "ci", Gantry.Core.Access.NamespaceRole.Writer);
    }

    [Fact]
    public async Task ATrust_IsMadeUsedListedAndEnded()
    {
        using var made = await AddAsync("ci", new { repository = "acme/*" });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        using var ci = _server.Client("oidc", _issuer.Token(("repository", "acme/app")));
        await ci.PushImageAsync("acme/app", "v1", [1]);

        var listed = await JsonAsync(await _admin.GetAsync("/api/v1/namespaces/acme/trusts"));
        var trust = Assert.Single(listed.GetProperty("items").EnumerateArray());
        Assert.Equal("robot.acme.ci", trust.GetProperty("robot").GetString());
        Assert.Equal("acme/*", trust.GetProperty("claims").GetProperty("repository").GetString());

        using var removed = await _admin.DeleteAsync($"/api/v1/namespaces/acme/trusts/{trust.GetProperty("id").GetInt64()}");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        using var refused = await ci.GetAsync("/v2/acme/app/tags/list");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task ATrust_ThatWouldTakeEverybody_OrNamesAStrangeIssuer_IsRefused()
    {
        using var everybody = await AddAsync("ci", new { sub = "*" });
        using var strange = await AddAsync("elsewhere", new { sub = "someone" });

        Assert.Equal(HttpStatusCode.BadRequest, everybody.StatusCode);
        Assert.Contains("would trust everybody", await everybody.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadRequest, strange.StatusCode);
        Assert.Contains("Keyless:Issuers", await strange.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task ATrust_OfAnotherNamespacesRobot_IsNotFound()
    {
        await _server.AddNamespaceAsync("other");
        using var reply = await AddAsync("ci", new { sub = "someone" }, "other");

        Assert.Equal(HttpStatusCode.NotFound, reply.StatusCode);
    }

    [Fact]
    public async Task ABrowsersSession_MayUseTheApi_WhereTheRegistrysOwnPageSentIt()
    {
        using var browser = new HttpClient { BaseAddress = _server.Address };
        using var signIn = await SendAsync(browser, "/session", new { name = "admin", password = RegistryServer.Password }, "same-origin");
        Assert.True(signIn.IsSuccessStatusCode, await signIn.Content.ReadAsStringAsync());

        using var read = await browser.GetAsync("/api/v1/me");
        using var foreign = await SendAsync(browser, "/api/v1/namespaces", new { name = "a", visibility = "private" }, "cross-site");
        using var own = await SendAsync(browser, "/api/v1/namespaces", new { name = "b", visibility = "private" }, "same-origin");
        using var v2 = await browser.GetAsync("/v2/");

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        Assert.Equal(HttpStatusCode.Created, own.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, v2.StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    private Task<HttpResponseMessage> AddAsync(string issuer, object claims, string ns = "acme") => SendAsync(
        _admin, $"/api/v1/namespaces/{ns}/trusts",
        new { robot = "robot.acme.ci", issuer, claims, scopes = (string[])["repository:acme/*:pull,push"] });

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string path, object body, string? site = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(JsonSerializer.Serialize(body), System.Text.Encoding.UTF8, "application/json"),
        };
        if (site is not null) request.Headers.Add("Sec-Fetch-Site", site);
        return client.SendAsync(request);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage reply)
    {
        using (reply) return JsonDocument.Parse(await reply.Content.ReadAsStringAsync()).RootElement.Clone();
    }
}
