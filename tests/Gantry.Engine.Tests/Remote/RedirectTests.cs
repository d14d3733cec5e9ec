using Gantry.Engine.Remote;
using Microsoft.AspNetCore.Http;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Where a blob's redirect may lead, and what goes along.</summary>
[Trait("Pull", "C91")]
public sealed class RedirectTests : IDisposable
{
    private static readonly byte[] Content = Remotes.Random(5000);
    private readonly FakeNetwork _network = new();

    public void Dispose() => _network.Dispose();

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Read_SentToAnotherHost_LeavesTheCredentialBehind(int status)
    {
        await using var store = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content), _network.Certificate);
        await using var registry = await RegistryAsync("https://store.test/bucket/blob?signature=abc", status);
        _network.Add("registry.test", "203.0.113.10", registry).Add("store.test", "203.0.113.11", store);

        Assert.Equal(Content[100..], await ReadAsync(from: 100));

        var request = Assert.Single(store.Requests);
        Assert.Null(request.Authorization);
        Assert.Equal(("/bucket/blob?signature=abc", "bytes=100-", "store.test"), (request.Target, request.Range, request.Host));
    }

    [Fact]
    public async Task Read_SentElsewhereOnTheRegistry_GoesThereWithTheCredential()
    {
        await using var registry = await RegistryAsync("/storage/blob");
        _network.Add("registry.test", "203.0.113.10", registry);
        Assert.Equal(Content, await ReadAsync());
        Assert.Equal(Remotes.Basic(), registry.Requests[^1].Authorization);
    }

    [Fact]
    public async Task Read_SentAwayAndBack_GetsNoCredentialAnyMore()
    {
        await using var store = await FakeServer.StartAsync(http => RedirectAsync(http, "https://registry.test/storage/blob"), _network.Certificate);
        await using var registry = await RegistryAsync("https://store.test/");
        _network.Add("registry.test", "203.0.113.10", registry).Add("store.test", "203.0.113.11", store);
        await Remotes.FailsAsync(EngineFault.Denied, () => ReadAsync());
        Assert.Equal("/storage/blob", registry.Requests[^1].Target);
        Assert.Null(registry.Requests[^1].Authorization);
    }

    [Fact]
    public async Task Read_StrangerWantsALogin_GetsNone()
    {
        await using var store = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"give it to me\"";
            return FakeServer.AnswerAsync(http, 401);
        }, _network.Certificate);
        await using var registry = await RegistryAsync("https://store.test/");
        _network.Add("registry.test", "203.0.113.10", registry).Add("store.test", "203.0.113.11", store);
        await Remotes.FailsAsync(EngineFault.Denied, () => ReadAsync());
        Assert.Null(Assert.Single(store.Requests).Authorization);
    }

    [Theory]
    [InlineData("http://store.test/blob")]
    [InlineData("http://registry.test/blob")]
    [InlineData("https://user@store.test/blob")]
    [InlineData("ftp://store.test/blob")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://10.0.0.7/blob?signature=abc")]
    [InlineData("https://169.254.169.254/blob")]
    [InlineData("https://[::1]/blob")]
    [InlineData("https://intranet.test/blob")]
    [InlineData("https://metadata.test/blob")]
    [InlineData(null)]
    public async Task Read_SentWhereNobodyShould_Refuses(string? location)
    {
        await using var store = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content), _network.Certificate);
        await using var registry = await RegistryAsync(location);
        _network.Add("registry.test", "203.0.113.10", registry).Add("store.test", "203.0.113.11", store).Add("intranet.test", "10.0.0.7", store).Add("metadata.test", "169.254.169.254", store);
        var refused = await Remotes.FailsAsync(EngineFault.Refused, () => ReadAsync());
        Assert.DoesNotContain("abc", refused.ToString(), StringComparison.Ordinal);
        Assert.Empty(store.Requests);
        Assert.All(_network.Dialled, to => Assert.Equal("203.0.113.10", to.Address.ToString()));
    }

    [Fact]
    public async Task Read_RegistryAtPublicAndPrivateAddressInTurn_CountsAsPublic()
    {
        await using var store = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content), _network.Certificate);
        await using var registry = await RegistryAsync("https://intranet.test/blob");
        _network.Add("intranet.test", "10.0.0.7", store).Add("registry.test", "203.0.113.10", registry);
        using var registries = new RemoteRegistries(Options());
        var repository = registries.Open("registry.test/team/app");
        await Remotes.FailsAsync(EngineFault.Refused, () => repository.ReadAsync(Remotes.Describe(Content)));

        _network.Add("registry.test", "10.0.0.1", registry);
        await Remotes.FailsAsync(EngineFault.Refused, () => repository.ReadAsync(Remotes.Describe(Content)));
        Assert.Empty(store.Requests);
    }

    [Fact]
    public async Task Read_RedirectsWithoutEnd_StopsAfterTen()
    {
        await using var registry = await FakeServer.StartAsync(http => RedirectAsync(http, $"/again/{Guid.NewGuid()}"));
        using var registries = new RemoteRegistries(Remotes.Quick);
        await Remotes.FailsAsync(EngineFault.Refused, () => registries.Open($"{registry.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
        Assert.Equal(11, registry.Requests.Count);
    }

    [Fact]
    public async Task Push_SentElsewhere_Refuses()
    {
        await using var other = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 201));
        await using var registry = await FakeServer.StartAsync(http => http.Request.Method == "HEAD" ? FakeServer.AnswerAsync(http, 404) : RedirectAsync(http, $"http://{other.Host}/upload"));
        using var registries = new RemoteRegistries(Remotes.Quick);
        var repository = registries.Open($"{registry.Host}/team/app");
        await Remotes.FailsAsync(EngineFault.Refused, () => repository.UploadBlobAsync(Remotes.Describe(Content), () => new MemoryStream(Content)));
        await Remotes.FailsAsync(EngineFault.Refused, () => repository.PutManifestAsync(Oci.TagName.Parse("x"), Content, "a/b"));
        Assert.Empty(other.Requests);
    }

    [Theory]
    [InlineData("https://registry.test:444/upload")]
    [InlineData("http://registry.test/upload")]
    [InlineData("https://store.test/upload")]
    [InlineData("https://user@registry.test/upload")]
    public async Task Push_UploadLocatedElsewhere_Refuses(string location)
    {
        await using var registry = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.Location = location;
            return FakeServer.AnswerAsync(http, http.Request.Method == "HEAD" ? 404 : 202);
        }, _network.Certificate);
        await using var store = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 201), _network.Certificate);
        _network.Add("registry.test", "203.0.113.10", registry).Add("store.test", "203.0.113.11", store);
        using var registries = new RemoteRegistries(Options());
        await Remotes.FailsAsync(EngineFault.Refused, () => registries.Open("registry.test/team/app").UploadBlobAsync(Remotes.Describe(Content), () => new MemoryStream(Content)));
        Assert.Empty(store.Requests);
    }

    private static Task RedirectAsync(HttpContext http, string? location, int status = 307)
    {
        if (location is not null) http.Response.Headers.Location = location;
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private RemoteOptions Options() => Remotes.Quick with { PlainHttp = false, CaFile = _network.CaFile, Dialing = _network.Dialing, Credentials = Remotes.Known };

    private async Task<byte[]> ReadAsync(long from = 0)
    {
        using var registries = new RemoteRegistries(Options());
        return await registries.Open("registry.test/team/app").ReadAsync(Remotes.Describe(Content), from);
    }

    private Task<FakeServer> RegistryAsync(string? location, int status = 307) => FakeServer.StartAsync(http =>
    {
        if (http.Request.Headers.Authorization != Remotes.Basic())
        {
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
            return FakeServer.AnswerAsync(http, 401);
        }

        return http.Request.Path.StartsWithSegments("/v2", StringComparison.Ordinal) ? RedirectAsync(http, location, status) : Remotes.SendAsync(http, Content);
    }, _network.Certificate);
}
