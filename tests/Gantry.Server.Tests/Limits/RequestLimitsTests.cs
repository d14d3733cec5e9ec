using System.Net;
using Gantry.Core.Access;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Limits;

/// <summary>Request and login limits: 429 with Retry-After, and never in the middle of a push (PROTOCOL D4.67).</summary>
[Trait("Speed", "Slow")]
public sealed class RequestLimitsTests
{
    [Fact]
    public async Task Requests_BeyondTheAddressLimit_AreRefusedWithRetryAfter()
    {
        await using var server = await RegistryServer.StartAsync("Limits:RequestsPerMinutePerAddress=5");
        using var client = server.Client();
        for (var i = 0; i < 5; i++) Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/")).StatusCode);

        using var refused = await client.GetAsync("/v2/");

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("TOOMANYREQUESTS", await refused.ErrorCodeAsync());
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 12);
    }

    [Fact]
    public async Task Probes_AreNotLimited()
    {
        await using var server = await RegistryServer.StartAsync("Limits:RequestsPerMinutePerAddress=1");
        using var client = server.Client(account: null);

        for (var i = 0; i < 20; i++) Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz/live")).StatusCode);
    }

    [Theory]
    [InlineData("Limits:RequestsPerMinutePerAddress=1")]
    [InlineData("Limits:RequestsPerMinutePerAccount=1")]
    [InlineData("Limits:LoginsPerMinutePerAddress=1")]
    [InlineData("Limits:LoginsPerMinutePerAccount=1")]
    public async Task APush_ThatHasBegun_IsNotBrokenOff(string limit)
    {
        await using var server = await RegistryServer.StartAsync(limit);
        using var client = server.Client();
        var location = await client.StartUploadAsync("acme/app");

        // The one request is spent; what follows goes on by PATCH and PUT alone.
        var content = new byte[1000];
        for (var i = 0; i < 10; i++)
        {
            using var patch = await client.PatchAsync(location, RegistryClient.Bytes(content));
            Assert.Equal(HttpStatusCode.Accepted, patch.StatusCode);
            location = patch.Headers.Location!.ToString();
        }

        var digest = Gantry.Oci.Digest.Of(new byte[10_000]);
        using var put = await client.PutAsync(RegistryClient.WithDigest(location, digest), null);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Fact]
    public async Task Requests_BeyondTheAccountLimit_AreRefusedForThatAccountAlone()
    {
        await using var server = await RegistryServer.StartAsync("Limits:RequestsPerMinutePerAccount=3");
        await server.CreateAccountAsync("alice", "alice's password");
        using var admin = server.Client();
        using var alice = server.Client("alice", "alice's password");
        for (var i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync("/v2/")).StatusCode);

        Assert.Equal(HttpStatusCode.TooManyRequests, (await alice.GetAsync("/v2/")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/v2/")).StatusCode);
    }

    [Fact]
    public async Task Logins_BeyondTheAddressLimit_AreRefusedUnseen()
    {
        await using var server = await RegistryServer.StartAsync("Limits:LoginsPerMinutePerAddress=2");
        using var client = server.Client();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/token")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/token")).StatusCode);

        using var refused = await client.GetAsync("/token");

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
    }

    [Fact]
    public async Task Logins_ThatFail_DoNotSpendTheAccountsOwn()
    {
        await using var server = await RegistryServer.StartAsync(
            "Limits:LoginsPerMinutePerAccount=2", "Access:Throttle:FailuresPerAccountAndAddress=100");
        using var stranger = server.Client(password: "a stranger's guess");
        using var admin = server.Client();
        for (var i = 0; i < 5; i++) Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync("/token")).StatusCode);

        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/token")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/token")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await admin.GetAsync("/token")).StatusCode);
    }
}
