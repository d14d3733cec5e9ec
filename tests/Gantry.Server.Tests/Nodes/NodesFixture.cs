using System.Collections.Concurrent;

namespace Gantry.Server.Tests.Nodes;

/// <summary>Three nodes a backend, started at the first test that asks.</summary>
public sealed class NodesFixture : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Backend, Lazy<Task<NodeCluster>>> _clusters = [];

    internal async Task<NodeCluster> ThreeAsync(Backend backend)
    {
        var cluster = await _clusters.GetOrAdd(backend, _ => new(() => NodeCluster.StartAsync(backend, 3, isEmpty: false))).Value;
        foreach (var node in cluster.Nodes.Where(node => !node.IsRunning)) await node.StartAsync();
        cluster.Balance();
        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var cluster in _clusters.Values) await (await cluster.Value).DisposeAsync();
    }
}
