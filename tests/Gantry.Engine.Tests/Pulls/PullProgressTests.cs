using Gantry.Oci;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>What is told of a pull while it runs, and what stays of one that is stopped. Need root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class PullProgressTests(PullFixture registry) : PullTest(registry)
{
    [Fact]
    public async Task Pull_Cancelled_LeavesOnlyWhatTheNextOneGoesOnFrom()
    {
        await TestImage.OfSize(4, 3_000_000, 3).PushAsync(Registry.Client, Repository);
        var store = await Store.OpenAsync();
        using var cancel = new CancellationTokenSource();
        var steps = new Steps { On = step => { if (step is { Phase: PullPhase.Unpacking, Bytes: > 1_000_000 }) cancel.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PullAsync(store, progress: steps, ct: cancel.Token));
        Assert.Empty(store.List());
        Store.IsQuiet();
        await PullAsync(store);
        await Store.IsConsistentAsync(store);
    }

    [Fact]
    public async Task Pull_ReportsEachLayerFromWaitingToComplete()
    {
        var image = TestImage.OfSize(3, 1_500_000, 8);
        await image.PushAsync(Registry.Client, Repository);
        var steps = new Steps();
        await PullAsync(await Store.OpenAsync(), progress: steps);
        foreach (var layer in image.Layers)
        {
            var digest = Digest.Of(layer.Blob);
            var own = steps.All.Where(step => step.Layer == digest).ToList();
            Assert.Equal(PullPhase.Waiting, own[0].Phase);
            Assert.Equal(new PullProgress(digest, PullPhase.Complete, layer.Blob.Length, layer.Blob.Length), own[^1]);
            foreach (var phase in (PullPhase[])[PullPhase.Downloading, PullPhase.Unpacking])
            {
                var bytes = own.Where(step => step.Phase == phase).Select(step => step.Bytes).ToList();
                Assert.Equal(layer.Blob.Length, bytes[^1]);
                Assert.Equal(bytes.Order(), bytes);
            }
        }
    }
}
