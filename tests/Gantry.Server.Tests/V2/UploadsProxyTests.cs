using System.Net;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>What proxies between say counts only where they are configured.</summary>
[Trait("Protocol", "D5.77")]
[Trait("Speed", "Slow")]
public sealed class UploadsProxyTests(RegistryFixture registry)
{
    [Fact]
    public async Task ForwardedHeaders_OfAnybody_DoNotCount()
    {
        using var answer = await PostAsync(registry.Server);

        Assert.StartsWith($"Bearer realm=\"{registry.Server.Address.GetLeftPart(UriPartial.Authority)}/token\"",
            answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForwardedHeaders_OfATrustedProxy_Count()
    {
        await using var server = await RegistryServer.StartAsync("Server:TrustedProxies:0=127.0.0.0/8");
        using var answer = await PostAsync(server);
        Assert.StartsWith("Bearer realm=\"https://registry.example:8443/token\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);

        using var client = server.Client();
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        client.DefaultRequestHeaders.Add("X-Forwarded-Host", "registry.example:8443");
        Assert.StartsWith("/v2/a/blobs/uploads/", await client.StartUploadAsync("a"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForwardedHeaders_OfAnotherAddressThanTheTrusted_DoNotCount()
    {
        await using var server = await RegistryServer.StartAsync("Server:TrustedProxies:0=192.0.2.1");
        using var answer = await PostAsync(server);

        Assert.DoesNotContain("registry.example", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> PostAsync(RegistryServer server)
    {
        using var client = server.Client(account: null);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/a/blobs/uploads/");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "registry.example:8443");
        request.Headers.Add("X-Forwarded-For", "198.51.100.7");
        var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        return answer;
    }
}
