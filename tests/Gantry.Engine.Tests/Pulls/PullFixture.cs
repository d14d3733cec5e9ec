using Gantry.Engine.Remote;
using Gantry.TestKit;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>The real registry, with a proxy before it that counts requests and cuts answers. Tests of one class after the other, each with repositories of its own.</summary>
public sealed class PullFixture : IAsyncLifetime
{
    public const string Collection = "pulls";

    private static int _repositories;
    private RegistryServer? _server;
    private ReverseProxy? _proxy;

    public HttpClient Client { get; private set; } = null!;

    public ReverseProxy Proxy => _proxy!;

    /// <summary>As the engine asks for it, through the proxy.</summary>
    public string Host => $"127.0.0.1:{Proxy.Address.Port}";

    public RemoteRegistries Registries { get; } = new(new RemoteOptions { PlainHttp = true, FirstPause = TimeSpan.FromMilliseconds(10), MaxTries = 3 });

    public static string NewRepository() => $"test/pull-{Interlocked.Increment(ref _repositories)}";

    public ImageName Name(string repository, string tag = "latest") => ImageName.Parse($"{Host}/{repository}:{tag}");

    /// <summary>How often a blob of the repository was asked for since the process began.</summary>
    public int BlobRequests(string repository) => Proxy.Counts.GetValueOrDefault($"GET /v2/{repository}/blobs/*");

    public async ValueTask InitializeAsync()
    {
        _server = await RegistryServer.StartAsync("Access:Anonymous=Full");
        _proxy = await ReverseProxy.StartAsync(_server.Address);
        Client = _server.Client();
    }

    public async ValueTask DisposeAsync()
    {
        Registries.Dispose();
        Client.Dispose();
        await Proxy.DisposeAsync();
        await _server!.DisposeAsync();
    }
}

[CollectionDefinition(PullFixture.Collection)]
public sealed class PullTests : ICollectionFixture<PullFixture>;
