using Gantry.Oci;

namespace Gantry.Server.Tests.Faults;

/// <summary>Tests that start, starve and kill processes: one at a time, because they share the machine (and two cores are not more than two of these bear).</summary>
[CollectionDefinition(nameof(ProcessFaults))]
public sealed class ProcessFaults;

/// <summary>One data folder for all failpoints, so that each crash also has to keep what the crashes before it kept.</summary>
public sealed class FailpointRegistry : IAsyncDisposable
{
    private readonly List<(string Path, Digest Digest)> _acknowledged = [];
    private bool _collects;

    internal RestartableRegistry Registry { get; } = new();

    public void Acknowledge(string repository, byte[] blob) => Add($"/v2/{repository}/blobs/", blob);

    public void AcknowledgeManifest(string repository, byte[] manifest) => Add($"/v2/{repository}/manifests/", manifest);

    public async Task CheckAcknowledgedAsync()
    {
        foreach (var (path, digest) in _acknowledged)
            Assert.Equal(digest, Digest.Of(await Registry.Client.GetByteArrayAsync($"{path}{digest}")));
    }

    /// <summary>A server: the one that the case before left, or a new one. It ends nowhere until it is armed.</summary>
    /// <param name="collects">False: it removes nothing that a client did not delete.</param>
    public async Task ServeAsync(bool collects = true)
    {
        if (Registry.IsRunning && _collects == collects)
        {
            Registry.Arm(null); // a case that failed may have left it armed
            return;
        }

        await KillAsync();
        _collects = collects;
        await Registry.StartAsync(null, collects ? [] : ["Gc:Enabled=false"]);
    }

    /// <summary>Starts it again after it ended; what it had begun is cleaned up by this start.</summary>
    public async Task StartAgainAsync()
    {
        _collects = true;
        await Registry.StartAsync();
    }

    public async Task KillAsync()
    {
        if (Registry.IsRunning) await Registry.Server.KillAsync();
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();

    private void Add(string path, byte[] content) => _acknowledged.Add((path, Digest.Of(content)));
}
