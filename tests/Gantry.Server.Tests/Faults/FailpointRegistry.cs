using Gantry.Oci;

namespace Gantry.Server.Tests.Faults;

/// <summary>Tests that start, starve and kill processes: one at a time, because they share the machine.</summary>
[CollectionDefinition(nameof(ProcessFaults))]
public sealed class ProcessFaults;

/// <summary>One data folder for all failpoints, so that each crash also has to keep what the crashes before it kept.</summary>
public sealed class FailpointRegistry : IAsyncDisposable
{
    private readonly List<(string Path, Digest Digest)> _acknowledged = [];

    internal RestartableRegistry Registry { get; } = new();

    public void Acknowledge(string repository, byte[] blob) => Add($"/v2/{repository}/blobs/", blob);

    public void AcknowledgeManifest(string repository, byte[] manifest) => Add($"/v2/{repository}/manifests/", manifest);

    public async Task CheckAcknowledgedAsync()
    {
        foreach (var (path, digest) in _acknowledged)
            Assert.Equal(digest, Digest.Of(await Registry.Client.GetByteArrayAsync($"{path}{digest}")));
    }

    /// <summary>A server without a failpoint: the one that the case before left, or a new one.</summary>
    public async Task ServeAsync()
    {
        if (!Registry.IsRunning) await Registry.StartAsync();
    }

    public async Task KillAsync()
    {
        if (Registry.IsRunning) await Registry.Server.KillAsync();
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();

    private void Add(string path, byte[] content) => _acknowledged.Add((path, Digest.Of(content)));
}
