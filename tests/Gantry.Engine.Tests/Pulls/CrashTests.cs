using System.Diagnostics;
using Gantry.Engine.Remote;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>Processes that pull, killed at named places and at random ones, beside each other and after each other. Need root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class CrashTests(PullFixture registry, ITestOutputHelper output) : IDisposable
{
    private readonly TestStore _store = new();
    private readonly string _repository = PullFixture.NewRepository();

    private static CancellationToken End => TestContext.Current.CancellationToken;

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("blob-block:3")]
    [InlineData("blob-synced:2")]
    [InlineData("blob-published:3")]
    [InlineData("staging-made")]
    [InlineData("staging-filled:2")]
    [InlineData("folder-published")]
    [InlineData("folder-published:3")]
    [InlineData("name-written")]
    [InlineData("name-published")]
    [InlineData("settled")]
    public async Task Kill_AtNamedPlace_LeavesTheOldStateAndTheNextPullEnds(string place)
    {
        var old = TestImage.OfSize(2, 400_000, 10);
        await old.PushAsync(registry.Client, _repository);
        Assert.Equal(0, await ExitAsync(Pull()));
        var digest = await TestImage.OfSize(2, 1_200_000, 20).PushAsync(registry.Client, _repository);

        Assert.Equal(128 + ServerProcess.SigKill, await ExitAsync(Pull(place)));
        await VerifyAsync(digest);
    }

    [Fact]
    public async Task Kill_AtAnyInstant_LeavesTheOldOrTheNewState()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var kills = 0;
        for (var round = 0; round < 6; round++)
        {
            var digest = await TestImage.OfSize(3, 2_000_000, seed + round * 10).PushAsync(registry.Client, _repository);
            using var pull = Pull();
            // The process itself takes a while to begin: at the latest when the first blob is asked for, it is at work.
            var before = registry.BlobRequests(_repository);
            while (registry.BlobRequests(_repository) == before && !pull.HasExited) await Task.Delay(5, End);
            await Task.Delay(random.Next(250), End);
            ServerProcess.Signal(pull.Id, ServerProcess.SigKill);
            if (await ExitAsync(pull) != 0) kills++;
            await VerifyAsync(digest);
        }

        output.WriteLine($"{kills} kills met a pull");
    }

    [Fact]
    public async Task Pull_ByTwoProcessesAtOnce_FetchesEachBlobOnce()
    {
        await TestImage.OfSize(3, 3_000_000, 30).PushAsync(registry.Client, _repository);
        using var first = Pull();
        using var second = Pull();
        Assert.Equal(0, await ExitAsync(first));
        Assert.Equal(0, await ExitAsync(second));
        Assert.Equal(4, registry.BlobRequests(_repository)); // config and three layers
        await _store.IsConsistentAsync(await _store.OpenAsync());
        _store.IsQuiet();
    }

    [Fact]
    public async Task Pull_AfterAKilledOne_FetchesOnlyTheRest()
    {
        var image = TestImage.OfSize(1, 4_000_000, 40);
        var digest = await image.PushAsync(registry.Client, _repository);
        Assert.Equal(128 + ServerProcess.SigKill, await ExitAsync(Pull("blob-block:6")));
        var there = new FileInfo(Directory.EnumerateFiles(Path.Combine(_store.Root, "ingest"), $"*{Digest.Of(image.Layers[0].Blob).Hex}").Single()).Length;
        Assert.InRange(there, 1, image.Layers[0].Blob.Length - 1);

        var ranges = new List<string>();
        registry.Proxy.Faults = request =>
        {
            if (request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal)) lock (ranges) ranges.Add(request.Headers.Range.ToString());
            return null;
        };
        Assert.Equal(0, await ExitAsync(Pull()));
        registry.Proxy.Faults = null;
        Assert.StartsWith($"bytes={there}-", Assert.Single(ranges), StringComparison.Ordinal);
        await VerifyAsync(digest);
    }

    [Fact]
    public async Task Pull_AfterAKilledOneWhoseBytesWentWrong_BeginsAgain()
    {
        var image = TestImage.OfSize(1, 4_000_000, 50);
        var digest = await image.PushAsync(registry.Client, _repository);
        Assert.Equal(128 + ServerProcess.SigKill, await ExitAsync(Pull("blob-block:6")));
        var path = Directory.EnumerateFiles(Path.Combine(_store.Root, "ingest"), $"*{Digest.Of(image.Layers[0].Blob).Hex}").Single();
        var bytes = await File.ReadAllBytesAsync(path, End);
        Array.Clear(bytes, 0, 1000); // as a machine leaves them that lost its power
        await File.WriteAllBytesAsync(path, bytes, End);
        await VerifyAsync(digest);
    }

    [Fact]
    public async Task Open_AfterTheMachineWasLost_DropsWhatWasNotSettledAndUnpacksItFromTheBlobs()
    {
        var digest = await TestImage.OfSize(2, 300_000, 60).PushAsync(registry.Client, _repository);
        Assert.Equal(128 + ServerProcess.SigKill, await ExitAsync(Pull("name-published")));
        Assert.Equal(2, _store.Layers.Length);

        var same = await _store.OpenAsync();
        Assert.NotNull(same.FindChain(same.List().Single())); // the kernel has all of it: a dead process is no matter
        var after = await ImageStore.OpenAsync(_store.Root, "another-boot", End);
        Assert.Empty(_store.Layers);
        Assert.Empty(_store.Chains);
        Assert.Null(after.FindChain(after.List().Single()));

        var back = await new ImagePuller(after, null, new PullOptions()).PullAsync(Name, null, End);
        Assert.Equal(digest, back.Image.Manifest.Digest);
        await after.SettleAsync();
        Assert.NotNull((await ImageStore.OpenAsync(_store.Root, "a-third-boot", End)).FindChain(back.Image));
    }

    /// <summary>What is visible is whole, whether old or new; leftovers are gone; the next pull brings the new state.</summary>
    private async Task VerifyAsync(Digest digest)
    {
        var store = await _store.OpenAsync();
        await _store.IsConsistentAsync(store);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_store.Root, "staging")));
        var pulled = await new ImagePuller(store, registry.Registries, new PullOptions()).PullAsync(Name, null, End);
        Assert.Equal(digest, pulled.Image.Manifest.Digest);
        await store.PruneAsync(End);
        await _store.IsConsistentAsync(store);
        Assert.Equal(pulled.Image.DiffIds.Count, _store.Layers.Length);
        Assert.Empty(_store.Ingest);
        _store.IsQuiet();
    }

    private ImageName Name => registry.Name(_repository);

    private Process Pull(string? failpoint = null)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Gantry.PullHost.dll"), "pull", _store.Root, Name.Canonical]) { UseShellExecute = false };
        start.Environment["GANTRY_FAILPOINT"] = failpoint ?? "";
        return Process.Start(start)!;
    }

    private static async Task<int> ExitAsync(Process process)
    {
        await process.WaitForExitAsync(End);
        return process.ExitCode;
    }
}
