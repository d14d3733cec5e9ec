using Gantry.Engine.Remote;
using Microsoft.AspNetCore.Http;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Foreign layers: addresses that whoever made the image chose.</summary>
[Trait("Pull", "C92")]
public sealed class ForeignUrlTests : IDisposable
{
    private static readonly byte[] Content = Remotes.Random(5000);
    private readonly FakeNetwork _network = new();

    public void Dispose() => _network.Dispose();

    [Fact]
    [Trait("Pull", "B86")]
    public async Task Read_RegistryHasItNot_FetchesFromTheFirstUrlThatHasIt()
    {
        await using var empty = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 404), _network.Certificate);
        await using var good = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content), _network.Certificate);
        _network.Add("empty.test", "203.0.113.11", empty).Add("good.test", "203.0.113.12", good);
        var registry = await ReadAsync(404, "https://empty.test/layer", "https://good.test/layer");
        Assert.All(registry.Concat(empty.Requests).Concat(good.Requests).Where(request => !request.Target.StartsWith("/v2", StringComparison.Ordinal)), request => Assert.Null(request.Authorization));
        Assert.Equal(["/layer"], good.Requests.Select(request => request.Target));
    }

    [Fact]
    [Trait("Pull", "B86")]
    public async Task Read_RegistryHasIt_AsksNobodyElse()
    {
        _network.Add("good.test", "203.0.113.12");
        await ReadAsync(200, "https://good.test/layer");
        Assert.DoesNotContain(_network.Dialled, to => to.Address.ToString() == "203.0.113.12");
    }

    [Theory]
    [InlineData("http://good.test/layer")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://good.test/layer")]
    [InlineData("https://user:word@good.test/layer")]
    [InlineData("https://10.0.0.1/layer")]
    [InlineData("https://127.0.0.1/layer")]
    [InlineData("https://169.254.169.254/layer")]
    [InlineData("https://intranet.test/layer")]
    [InlineData("https://sends-inside.test/layer")]
    [InlineData("https://sends-down.test/layer")]
    [InlineData("layer")]
    [InlineData("")]
    public async Task Read_UrlThatMustNotBeAsked_Refuses(string url)
    {
        await using var good = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content), _network.Certificate);
        await using var inside = await FakeServer.StartAsync(http => RedirectAsync(http, "https://intranet.test/layer"), _network.Certificate);
        await using var down = await FakeServer.StartAsync(http => RedirectAsync(http, "http://good.test/layer"), _network.Certificate);
        _network.Add("good.test", "203.0.113.12", good).Add("intranet.test", "10.0.0.1", good).Add("sends-inside.test", "203.0.113.13", inside).Add("sends-down.test", "203.0.113.14", down);
        var refused = await Remotes.FailsAsync(EngineFault.Refused, () => ReadAsync(404, url));
        Assert.DoesNotContain("word", refused.Message, StringComparison.Ordinal);
        Assert.Empty(good.Requests);
        Assert.DoesNotContain(_network.Dialled, to => to.Address.ToString() is "10.0.0.1" or "169.254.169.254");
    }

    [Fact]
    public async Task Read_RegistryIsInThePrivateNetwork_UrlStillMayNotBe()
    {
        await using var good = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content), _network.Certificate);
        _network.Add("intranet.test", "10.0.0.1", good);
        await Remotes.FailsAsync(EngineFault.Refused, () => ReadAsync(404, ["https://intranet.test/layer"], "10.0.0.9"));
    }

    [Fact]
    public async Task Read_UrlWantsALogin_GetsNone()
    {
        await using var evil = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"evil\", Bearer realm=\"https://evil.test/token\"";
            return FakeServer.AnswerAsync(http, 401);
        }, _network.Certificate);
        _network.Add("evil.test", "203.0.113.12", evil);
        await Remotes.FailsAsync(EngineFault.Denied, () => ReadAsync(404, "https://evil.test/401"));
        Assert.Null(Assert.Single(evil.Requests).Authorization);
    }

    [Fact]
    [Trait("Pull", "B106")]
    public async Task Read_UrlHasAnotherSize_Refuses()
    {
        await using var wrong = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content[..^1]), _network.Certificate);
        _network.Add("wrong.test", "203.0.113.12", wrong);
        await Remotes.FailsAsync(EngineFault.Mismatch, () => ReadAsync(404, "https://wrong.test/layer"));
    }

    private static Task RedirectAsync(HttpContext http, string location)
    {
        http.Response.Headers.Location = location;
        http.Response.StatusCode = 302;
        return Task.CompletedTask;
    }

    private Task<IReadOnlyList<Seen>> ReadAsync(int status, params string[] urls) => ReadAsync(status, urls, "203.0.113.10");

    private async Task<IReadOnlyList<Seen>> ReadAsync(int status, string[] urls, string address)
    {
        await using var registry = await FakeServer.StartAsync(http =>
        {
            if (http.Request.Headers.Authorization == Remotes.Basic()) return status == 200 ? Remotes.SendAsync(http, Content) : FakeServer.AnswerAsync(http, status);
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
            return FakeServer.AnswerAsync(http, 401);
        }, _network.Certificate);
        _network.Add("registry.test", address, registry);
        using var registries = new RemoteRegistries(Remotes.Quick with { PlainHttp = false, CaFile = _network.CaFile, Dialing = _network.Dialing, Credentials = Remotes.Known });
        Assert.Equal(Content, await registries.Open("registry.test/team/app").ReadAsync(Remotes.Describe(Content), 0, urls));
        return registry.Requests;
    }
}
