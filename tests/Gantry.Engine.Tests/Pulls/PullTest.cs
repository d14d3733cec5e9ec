using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>A repository and a store of a test's own, and pulling from the one into the other.</summary>
public abstract class PullTest(PullFixture registry) : IDisposable
{
    protected static CancellationToken End => TestContext.Current.CancellationToken;

    protected PullFixture Registry => registry;

    private protected TestStore Store { get; } = new();

    protected string Repository { get; } = PullFixture.NewRepository();

    public void Dispose()
    {
        Store.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets the proxy serve a manifest that no registry would take; blobs come from the registry.</summary>
    private protected async Task ServeAsync(TestImage image)
    {
        var config = System.Text.Encoding.UTF8.GetBytes(image.ConfigJson);
        await Registry.Client.PushBlobAsync(Repository, config);
        foreach (var layer in image.Layers) await Registry.Client.PushBlobAsync(Repository, layer.Blob);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = new JsonObject { ["mediaType"] = MediaTypes.OciConfig, ["digest"] = Digest.Of(config).ToString(), ["size"] = config.Length },
            ["layers"] = new JsonArray([.. image.Layers.Select(layer => layer.Descriptor.DeepClone())]),
        }.ToJsonString();
        var path = $"/v2/{Repository}/manifests/latest";
        Registry.Proxy.Faults = request => request.Path == path ? ProxyFault.Answer(200, manifest) : null;
    }

    protected async Task RefusedAsync(EngineFault fault)
    {
        var store = await Store.OpenAsync();
        var refusal = await Assert.ThrowsAsync<EngineException>(() => PullAsync(store));
        Registry.Proxy.Faults = null;
        Assert.Equal(fault, refusal.Fault);
        Assert.Empty(store.List());
        Assert.Empty(Store.Chains);
        Store.IsQuiet();
        await Store.IsConsistentAsync(store);
    }

    protected Task<PulledImage> PullAsync(ImageStore store, string? repository = null, PullOptions? options = null, IProgress<PullProgress>? progress = null, CancellationToken? ct = null) =>
        new ImagePuller(store, Registry.Registries, options ?? new PullOptions()).PullAsync(Registry.Name(repository ?? Repository), progress, ct ?? End);

    protected sealed class Steps : IProgress<PullProgress>
    {
        private readonly ConcurrentQueue<PullProgress> _all = new();

        public Action<PullProgress>? On { get; init; }

        public IReadOnlyCollection<PullProgress> All => _all;

        public Dictionary<Digest, PullPhase> Last => _all.GroupBy(step => step.Layer).ToDictionary(group => group.Key, group => group.Last().Phase);

        public void Report(PullProgress value)
        {
            _all.Enqueue(value);
            On?.Invoke(value);
        }
    }
}
