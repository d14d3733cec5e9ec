using System.Net;
using System.Net.Http.Headers;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;
using Microsoft.Extensions.Options;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.S3;

/// <summary>Pulls that a real S3 serves, with a server in front that only says where.</summary>
[Trait("Protocol", "D4.63")]
[Trait("Speed", "Slow")]
public sealed class RedirectTests(RedirectTests.Registry registry) : IClassFixture<RedirectTests.Registry>
{
    private const string Path = "a/b";

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(9_000_000)]
    public async Task Get_IsSentToTheStore_WhichServesTheBytes(int length)
    {
        var content = NewContent(length);
        var digest = await Client.PushBlobAsync(Path, content);

        using var answer = await Client.GetAsync($"/v2/{Path}/blobs/{digest}");

        Assert.Equal(HttpStatusCode.TemporaryRedirect, answer.StatusCode);
        Assert.Equal((digest.ToString(), "no-store", 0), (answer.Header("Docker-Content-Digest"), answer.Header("Cache-Control"), answer.Content.Headers.ContentLength));
        Assert.Equal(registry.Bucket.Endpoint.Authority, answer.Headers.Location!.Authority);
        Assert.DoesNotContain(registry.Bucket.SecretKey, answer.Headers.Location.OriginalString, StringComparison.Ordinal);
        using var nobody = new HttpClient();
        Assert.Equal(content, await nobody.GetByteArrayAsync(answer.Headers.Location));
    }

    [Fact]
    public async Task Range_SurvivesTheRedirect()
    {
        var content = NewContent(300_000);
        var digest = await Client.PushBlobAsync(Path, content);
        using var follower = new HttpClient { BaseAddress = registry.Server.Address };
        follower.DefaultRequestHeaders.Authorization = RegistryServer.Basic("admin", RegistryServer.Password);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v2/{Path}/blobs/{digest}") { Headers = { Range = new RangeHeaderValue(1000, 1999) } };

        // A credential for us that went along would show: see the next test.
        using var answer = await follower.SendAsync(request);

        Assert.Equal((HttpStatusCode.PartialContent, registry.Bucket.Endpoint.Authority), (answer.StatusCode, answer.RequestMessage!.RequestUri!.Authority));
        Assert.Equal(content[1000..2000], await answer.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [Trait("Protocol", "D4.65")]
    [InlineData("Bearer", "eyJhbGciOiJFUzI1NiJ9.e30.AAAA")]
    [InlineData("Basic", "YWRtaW46dGVzdC1wYXNzd29yZA==")]
    public async Task TheStore_RefusesWhoBringsACredentialForUs(string scheme, string credential)
    {
        var digest = await Client.PushBlobAsync(Path, NewContent(1000));
        using var answer = await Client.GetAsync($"/v2/{Path}/blobs/{digest}");
        using var request = new HttpRequestMessage(HttpMethod.Get, answer.Headers.Location) { Headers = { Authorization = new(scheme, credential) } };
        using var nobody = new HttpClient();
        using var refused = await nobody.SendAsync(request);
        Assert.InRange((int)refused.StatusCode, 400, 499);
    }

    [Fact]
    public async Task WhatNeedsNoBytes_IsAnsweredHere()
    {
        var digest = await Client.PushBlobAsync(Path, NewContent(1000));

        using var head = await Client.HeadBlobAsync(Path, digest);
        Assert.Equal((HttpStatusCode.OK, 1000), (head.StatusCode, head.Content.Headers.ContentLength));
        using var known = await Client.SendAsync("GET", $"/v2/{Path}/blobs/{digest}", null, ("If-None-Match", $"\"{digest}\""));
        known.AssertStatus(HttpStatusCode.NotModified);
        using var outside = await Client.SendAsync("GET", $"/v2/{Path}/blobs/{digest}", null, ("Range", "bytes=1000-"));
        await outside.AssertErrorAsync(HttpStatusCode.RequestedRangeNotSatisfiable, "SIZE_INVALID");
        using var unknown = await Client.GetAsync($"/v2/{Path}/blobs/{Digest.Of(NewContent(10))}");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task SeveralRanges_AndThoseThatDependOnATag_AreServedHere()
    {
        var content = NewContent(1000);
        var digest = await Client.PushBlobAsync(Path, content);

        using var several = await Client.SendAsync("GET", $"/v2/{Path}/blobs/{digest}", null, ("Range", "bytes=0-9,20-29"));
        several.AssertStatus(HttpStatusCode.PartialContent);
        using var dependent = await Client.SendAsync("GET", $"/v2/{Path}/blobs/{digest}", null, ("Range", "bytes=0-9"), ("If-Range", $"\"{digest}\""));
        dependent.AssertStatus(HttpStatusCode.PartialContent);
        Assert.Equal(content[..10], await dependent.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [Trait("Protocol", "D4.64")]
    [InlineData("NoRedirectNetworks", "203.0.113.9", false)]
    [InlineData("NoRedirectNetworks", "198.51.100.1", true)]
    [InlineData("RedirectNetworks", "203.0.113.9", true)]
    [InlineData("RedirectNetworks", "198.51.100.1", false)]
    public async Task Redirects_DependOnTheNetworkThatATrustedProxyNames(string setting, string client, bool isRedirected)
    {
        await using var server = await RegistryServer.StartAsync([.. registry.Settings,
            "Server:TrustedProxies:0=127.0.0.1", $"Storage:S3:{setting}:0=203.0.113.0/24"]);
        using var admin = server.Client();
        var content = NewContent(1000);
        var digest = await admin.PushBlobAsync(Path, content);

        using var answer = await admin.SendAsync("GET", $"/v2/{Path}/blobs/{digest}", null, ("X-Forwarded-For", client));

        answer.AssertStatus(isRedirected ? HttpStatusCode.TemporaryRedirect : HttpStatusCode.OK);
        if (!isRedirected) Assert.Equal(content, await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public void NetworksThatAreNone_StopTheStart_EachNamed()
    {
        var fault = Assert.Throws<OptionsValidationException>(() => GantryServer.Create(
        [
            .. registry.Settings.Select(setting => $"--{setting}"), "--Storage:S3:RedirectNetworks:0=office", "--Storage:S3:NoRedirectNetworks:0=10.0.0.0/33",
        ]));
        Assert.Equal(
            ["Storage:S3:RedirectNetworks: 'office' is neither an address nor a network", "Storage:S3:NoRedirectNetworks: '10.0.0.0/33' is neither an address nor a network"],
            fault.Failures);
    }

    [Theory]
    [InlineData("00:19:59", false)]
    [InlineData("00:20:00", true)]
    public async Task BytesThatGoBeforeTheirUrls_StopTheStart(string delay, bool isRight)
    {
        string[] arguments = [.. registry.Settings.Select(setting => $"--{setting}"), $"--Gc:ByteDelay={delay}"];
        if (isRight)
        {
            await using var server = GantryServer.Create(arguments);
            return;
        }

        var fault = Assert.Throws<OptionsValidationException>(() => GantryServer.Create(arguments));
        Assert.Equal(["Gc:ByteDelay 00:19:59 is shorter than Storage:S3:RedirectLifetime 00:20:00: URLs would outlive their bytes"], fault.Failures);
    }

    public sealed class Registry : IAsyncLifetime
    {
        public S3Bucket Bucket { get; private set; } = null!;

        public RegistryServer Server { get; private set; } = null!;

        public HttpClient Client { get; private set; } = null!;

        public string[] Settings => [.. TestBackend.Settings(Bucket), "Storage:S3:Redirect=true"];

        public async ValueTask InitializeAsync()
        {
            Bucket = await S3Server.CreateBucketAsync();
            Server = await RegistryServer.StartAsync(Settings);
            Client = Server.Client();
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await Server.DisposeAsync();
        }
    }
}
