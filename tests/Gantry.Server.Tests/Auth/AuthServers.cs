using System.Collections.Concurrent;

namespace Gantry.Server.Tests.Auth;

/// <summary>
/// One server for each value of Access:Anonymous, shared by all tests that leave no trace in it. Wrong passwords are free
/// on them: who tests the throttle starts a server of his own.
/// </summary>
public sealed class AuthServers : IAsyncDisposable
{
    private static readonly string[] NoThrottle =
    [
        "Access:Throttle:FailuresPerAccountAndAddress=1000", "Access:Throttle:FailuresPerAddress=100000",
        "Access:Throttle:FailuresPerAccount=100000",
    ];

    private readonly ConcurrentDictionary<string, Lazy<Task<AuthServer>>> _servers = new();

    internal Task<AuthServer> GetAsync(string anonymous = "None") =>
        _servers.GetOrAdd(
            anonymous, value => new(() => AuthServer.StartAsync([$"Access:Anonymous={value}", .. NoThrottle]))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values) await (await server.Value).DisposeAsync();
    }
}

/// <summary>A collection's fixture is gone before an assembly's: the servers stop before their PostgreSQL does.</summary>
[CollectionDefinition]
public sealed class AuthCollection : ICollectionFixture<AuthServers>;
