using System.Diagnostics;
using System.Net;
using Gantry.Engine.Remote;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Registries behind a proxy. The environment's is read once a process, so those tests start one.</summary>
[Trait("Speed", "Slow")]
public sealed class ProxyTests : IDisposable
{
    private readonly FakeNetwork _network = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-proxy-");

    public void Dispose()
    {
        _network.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("registry.invalid", "", true)]
    [InlineData("registry.invalid", "other.invalid,egistry.invalid", true)]
    [InlineData("registry.invalid", "other.invalid,registry.invalid", false)]
    [InlineData("registry.invalid", ".invalid", false)]
    [InlineData("127.0.0.1:1", "", false)]
    public async Task Pull_WithTheEnvironmentsProxy_GoesThroughItButForTheExceptions(string host, string exceptions, bool goesThrough)
    {
        await using var proxy = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 404));
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Gantry.PullHost.dll"), "pull", _folder.FullName, $"{host}/team/app:1"])
        {
            UseShellExecute = false, RedirectStandardError = true,
        };
        start.Environment["HTTP_PROXY"] = $"http://{proxy.Host}";
        start.Environment["NO_PROXY"] = exceptions;
        using var process = Process.Start(start)!;
        var said = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith(goesThrough ? "NotFound: " : "Network: ", said, StringComparison.Ordinal);
        if (goesThrough) Assert.Equal($"http://{host}/v2/team/app/manifests/1", Assert.Single(proxy.Requests).Target);
        else Assert.Empty(proxy.Requests);
    }

    [Fact]
    public async Task Read_OverTls_AsksTheProxyForATunnelAndShowsNoPassword()
    {
        await using var proxy = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 403));
        var way = new WebProxy($"http://{proxy.Host}") { Credentials = new NetworkCredential("me", "pr0xy-Passw0rd") };
        using var registries = new RemoteRegistries(Remotes.Quick with { PlainHttp = false, Proxy = way, Dialing = _network.Dialing, Credentials = Remotes.Known, MaxTries = 1 });
        var refused = await Remotes.FailsAsync(EngineFault.Network, () => registries.Open("registry.test/team/app").GetManifestAsync(Oci.TagName.Parse("1")));

        var request = Assert.Single(proxy.Requests);
        Assert.Equal(("CONNECT", "registry.test:443"), (request.Method, request.Target));
        Assert.Null(request.Authorization);
        Assert.Contains("the proxy on the way to registry.test", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Passw0rd", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_WithAnAuthorityOfOneHost_TrustsItForThatHostAlone()
    {
        var content = Remotes.Random(1000);
        await using var known = await FakeServer.StartAsync(http => Remotes.SendAsync(http, content), _network.Certificate);
        await using var other = await FakeServer.StartAsync(http => Remotes.SendAsync(http, content), _network.Certificate);
        var settings = RegistriesFile.Of(new Dictionary<string, RegistrySettings> { [known.Host] = RegistrySettings.Default with { Ca = _network.CaFile } });
        using var registries = new RemoteRegistries(Remotes.Quick with { PlainHttp = false, Registries = settings, MaxTries = 1 });

        Assert.Equal(content, await registries.Open($"{known.Host}/team/app").ReadAsync(Remotes.Describe(content)));
        var refused = await Remotes.FailsAsync(EngineFault.Network, () => registries.Open($"{other.Host}/team/app").ReadAsync(Remotes.Describe(content)));
        Assert.Contains("no trusted connection", refused.Message, StringComparison.Ordinal);
        Assert.Empty(other.Requests);
    }
}
