using System.Net;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>What a reverse proxy says of the client counts where the proxy is a configured one, and nowhere else.</summary>
[Trait("Protocol", "D5.77")]
[Trait("Speed", "Slow")]
public sealed class ForwardedHeadersTests
{
    private static readonly (string, string)[] Forwarded =
        [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "registry.example.com:8443")];

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.0/8", true)]
    [InlineData("10.0.0.0/8", false)]
    [InlineData(null, false)]
    public async Task RealmLogAndEvent_FollowTheHeadersOfATrustedProxy(string? proxy, bool trusted)
    {
        await using var server = await RegistryServer.StartAsync(
            ["Logging:LogLevel:Gantry=Debug", .. proxy is null ? Array.Empty<string>() : [$"Server:TrustedProxies:0={proxy}"]]);
        using var nobody = server.Client(account: null);
        using var client = server.Client();
        await client.PushConfigAsync("a/b");
        var log = CapturedLog.Of(server.Services);

        using var unauthorized = await nobody.SendAsync("GET", "/v2/", null, Forwarded);
        using var put = await client.SendAsync("PUT", "/v2/a/b/manifests/v1", new StringContent(RegistryClient.ImageJson([]), null, "application/json"), Forwarded);

        unauthorized.AssertStatus(HttpStatusCode.Unauthorized);
        put.AssertStatus(HttpStatusCode.Created);
        var realm = trusted ? "https://registry.example.com:8443/token" : $"{server.Address}token";
        Assert.Contains($"realm=\"{realm}\"", unauthorized.RawHeader("WWW-Authenticate"), StringComparison.Ordinal);
        var address = trusted ? "203.0.113.9" : "127.0.0.1";
        Assert.Equal(address, await server.QueryAsync<string>("SELECT address FROM events WHERE tag = 'v1'"));
        // The line is written after the answer is sent.
        await UploadSteps.UntilAsync(() => Task.FromResult(log.Lines.Any(line => line.Contains($"request {put.RawHeader("X-Request-Id")}", StringComparison.Ordinal))), "the request's log line");
        Assert.Contains($"for {address}, request", log.Lines.Single(line => line.Contains($"request {put.RawHeader("X-Request-Id")}", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "not an address")]
    [InlineData("X-Forwarded-For", "::1, , 999.1.1.1")]
    [InlineData("X-Forwarded-Proto", "gopher")]
    [InlineData("X-Forwarded-Host", "evil\"host")]
    [InlineData("X-Forwarded-Host", "a b/c")]
    public async Task WildHeaders_OfATrustedProxy_DoNoHarm(string name, string value)
    {
        await using var server = await RegistryServer.StartAsync("Server:TrustedProxies:0=127.0.0.1");
        using var nobody = server.Client(account: null);
        using var answer = await nobody.SendAsync("GET", "/v2/", null, (name, value));
        await answer.AssertErrorAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
        Assert.Matches("realm=\"(https?|gopher)://[a-z0-9.:-]+/token\"", answer.RawHeader("WWW-Authenticate"));
    }
}
