using Gantry.Engine.Credentials;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Where a registry may send us for a token. Registries are at *.test, with addresses of the test's own.</summary>
[Trait("Pull", "C88")]
public sealed class RealmTests : IDisposable
{
    private static readonly byte[] Content = "some content"u8.ToArray();
    private readonly FakeNetwork _network = new();

    public void Dispose() => _network.Dispose();

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("https://169.254.169.254/token")]
    [InlineData("https://0.0.0.0/token")]
    [InlineData("https://10.0.0.7/token")]
    [InlineData("https://127.0.0.1/token")]
    [InlineData("https://2130706433/token")]
    [InlineData("https://[::1]/token")]
    [InlineData("https://[::ffff:169.254.169.254]/token")]
    [InlineData("https://[fe80::1]/token")]
    [InlineData("https://[fd00:ec2::254]/token")]
    [InlineData("http://auth.test/token")]
    [InlineData("http://registry.test/token")]
    [InlineData("https://somebody:else@registry.test/token")]
    [InlineData("https://somebody@auth.test/token")]
    [InlineData("ftp://auth.test/token")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/token")]
    [InlineData("auth.test")]
    [InlineData("")]
    [InlineData("https://")]
    [InlineData("https://intranet.test/token")] // a name for 10.0.0.7
    [InlineData("https://metadata.test/token")] // a name for 169.254.169.254
    [InlineData("https://self.test/token")] // a name for 127.0.0.1
    [InlineData("https://mapped.test/token")] // a name for ::ffff:10.0.0.7
    public async Task Read_RealmThatMustNotBeAsked_AsksNobody(string realm)
    {
        await using var registry = await RegistryAsync(realm);
        await using var other = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, """{"token":"x"}"""), _network.Certificate);
        _network.Add("registry.test", "203.0.113.10", registry).Add("auth.test", "203.0.113.11", other).Add("intranet.test", "10.0.0.7", other)
            .Add("metadata.test", "169.254.169.254", other).Add("self.test", "127.0.0.1", other).Add("mapped.test", "::ffff:10.0.0.7", other);

        var refused = await Remotes.FailsAsync(EngineFault.Refused, () => ReadAsync("registry.test"));

        Assert.Empty(other.Requests);
        Assert.All(registry.Requests, request => Assert.Null(request.Authorization));
        Assert.All(_network.Dialled, to => Assert.Equal("203.0.113.10", to.Address.ToString()));
        Assert.DoesNotContain("else@", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_RealmElsewhereOverTls_IsAskedWithThePassword()
    {
        await using var registry = await RegistryAsync("https://auth.test/token?x=1");
        await using var auth = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, """{"token":"good"}"""), _network.Certificate);
        _network.Add("registry.test", "203.0.113.10", registry).Add("auth.test", "203.0.113.11", auth);
        Assert.Equal(Content, await ReadAsync("registry.test"));
        Assert.Equal(Remotes.Basic(), Assert.Single(auth.Requests).Authorization);
        Assert.StartsWith("/token?x=1&account=", auth.Requests[0].Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_RegistryInThePrivateNetwork_MayNameAnotherInThere()
    {
        await using var registry = await RegistryAsync("https://auth.test/token");
        await using var auth = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, """{"token":"good"}"""), _network.Certificate);
        _network.Add("registry.test", "10.0.0.1", registry).Add("auth.test", "192.168.3.4", auth);
        Assert.Equal(Content, await ReadAsync("registry.test"));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    public async Task Read_RegistryInThePrivateNetwork_MayNotNameNearerOnes(string address)
    {
        await using var registry = await RegistryAsync("https://auth.test/token");
        await using var auth = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, """{"token":"good"}"""), _network.Certificate);
        _network.Add("registry.test", "10.0.0.1", registry).Add("auth.test", address, auth);
        await Remotes.FailsAsync(EngineFault.Refused, () => ReadAsync("registry.test"));
        Assert.Empty(auth.Requests);
    }

    [Fact]
    public async Task Read_RealmAtTheRegistryItself_IsAskedWhereverThatIs()
    {
        await using var registry = await RegistryAsync("https://registry.test/token");
        _network.Add("registry.test", "169.254.1.1", registry);
        Assert.Equal(Content, await ReadAsync("registry.test"));
    }

    [Theory]
    [Trait("Pull", "C89")]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Read_TokenServiceRedirects_IsNotFollowed(int status)
    {
        await using var other = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, """{"token":"good"}"""), _network.Certificate);
        await using var registry = await RegistryAsync("https://registry.test/token", http =>
        {
            http.Response.Headers.Location = "https://auth.test/token?password=here";
            return FakeServer.AnswerAsync(http, status);
        });
        _network.Add("registry.test", "203.0.113.10", registry).Add("auth.test", "203.0.113.11", other);
        var refused = await Remotes.FailsAsync(EngineFault.Refused, () => ReadAsync("registry.test"));
        Assert.Contains("redirect", refused.Message, StringComparison.Ordinal);
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task Login_RealmThatMustNotBeAsked_KeepsNothing()
    {
        await using var registry = await RegistryAsync("https://10.0.0.7/token");
        _network.Add("registry.test", "203.0.113.10", registry);
        using var registries = new RemoteRegistries(Options());
        await Remotes.FailsAsync(EngineFault.Refused, () => registries.VerifyAsync("registry.test", Credential.OfPassword("a", "b")));
    }

    private RemoteOptions Options() => Remotes.Quick with { PlainHttp = false, CaFile = _network.CaFile, Dialing = _network.Dialing, Credentials = Remotes.Known };

    private async Task<byte[]> ReadAsync(string host)
    {
        using var registries = new RemoteRegistries(Options());
        return await registries.Open($"{host}/team/app").ReadAsync(Remotes.Describe(Content));
    }

    private Task<FakeServer> RegistryAsync(string realm, Func<Microsoft.AspNetCore.Http.HttpContext, Task>? token = null) => FakeServer.StartAsync(http =>
    {
        if (http.Request.Path == "/token") return token?.Invoke(http) ?? FakeServer.AnswerAsync(http, 200, """{"token":"good"}""");
        if (http.Request.Headers.Authorization == "Bearer good") return Remotes.SendAsync(http, Content);
        http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{realm}\",service=\"x\"";
        return FakeServer.AnswerAsync(http, 401);
    }, _network.Certificate);
}
