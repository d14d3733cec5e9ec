using Gantry.TestKit;

[assembly: AssemblyFixture(typeof(Gantry.Server.Tests.V2.RegistryFixture))]

namespace Gantry.Server.Tests.V2;

/// <summary>
/// One server with its default settings for all tests that need no other; each test keeps to repositories of its own.
/// </summary>
public sealed class RegistryFixture : IAsyncLifetime
{
    private int _repositories;
    private RegistryServer? _server;

    public RegistryServer Server => _server!;

    /// <summary>As the administrator.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>A repository that no other test uses.</summary>
    public string NewRepository() => $"test/repository-{Interlocked.Increment(ref _repositories)}";

    public async ValueTask InitializeAsync()
    {
        _server = await RegistryServer.StartAsync();
        Client = _server.Client();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}
