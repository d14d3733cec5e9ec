using System.IO.Compression;
using System.Text;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Look;
using Gantry.Core.Look.Indexing;
using Gantry.Oci;
using Gantry.Storage;
using Gantry.TestKit;
using Gantry.TestKit.Tar;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Look;

[Trait("Speed", "Slow")]
public sealed class LayerIndexingTests : IAsyncLifetime
{
    private const string Repository = LookRegistry.Repository, States = "SELECT coalesce(string_agg(state, ' ' ORDER BY state), '') FROM layer_listings";

    private LookRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await LookRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Push_OfAnImage_ListsItsLayers()
    {
        var tar = Tar("a");
        await _registry.PushUnreadAsync("v1", Repository, [LookRegistry.Gzip(tar), Zstd.Compress(Tar("b").ToArray()), Tar("c").ToArray()]);
        await FollowAsync();
        Assert.Equal("waiting waiting waiting", await StatesAsync());

        await _registry.ReadAllAsync();

        Assert.Equal("ready ready ready", await StatesAsync());
        Assert.Equal(["a", "b", "c"], (await _registry.ListAsync("v1", "")).Select(file => file.Path.ToString()));
        var layers = (await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("v1"), default, null, 1, false, default))!.Layers;
        Assert.Equal(Digest.Of(tar.ToArray()), layers[0].DiffId);
        Assert.Equal((2L, tar.Length), (layers[0].Entries, layers[0].Bytes));
    }

    [Theory]
    [InlineData(MediaTypes.OciConfig, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")]
    [InlineData(MediaTypes.OciConfig, "application/vnd.oci.image.layer.v1.tar+gzip+encrypted")]
    [InlineData(MediaTypes.OciConfig, "application/json")]
    [InlineData("application/vnd.cncf.helm.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip")]
    public async Task Push_OfAnythingElse_ListsNothing(string config, string layer)
    {
        var blob = LookRegistry.Gzip(Tar("a"));
        await _registry.Registry.PushBlobAsync(Repository, blob);
        await _registry.Registry.PushBlobAsync(Repository, "{}");
        await _registry.Registry.PushManifestAsync(Repository, "v1", LookRegistry.Manifest("{}", layer, blob).Replace(MediaTypes.OciConfig, config, StringComparison.Ordinal));
        await FollowAsync();

        Assert.Equal("", await StatesAsync());
        var looked = await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("v1"), default, null, 1, false, default);
        Assert.NotNull(looked!.WhyNot);
        Assert.Equal(LookState.Failed, looked.State);
    }

    [Fact]
    public async Task Layer_ThatIsNone_OrBeyondABound_FailsWithTheReason()
    {
        var bounds = new LookOptions { MaxEntries = 5, MaxBytes = 1 << 20, MaxMemory = 1 << 20 };
        Assert.Contains("neither gzip nor zstd nor tar", await ReasonAsync(Encoding.UTF8.GetBytes(new string('x', 2000)), bounds));
        Assert.Contains("entries", await ReasonAsync(Tar([.. Enumerable.Range(0, 6).Select(number => $"f{number}")]).ToArray(), bounds));
        Assert.Contains("more than 1048576 bytes", await ReasonAsync(Bomb(), bounds));
        Assert.Contains("memory", await ReasonAsync(Tar([.. Enumerable.Range(0, 20_000).Select(number => $"f{number}")]).ToArray(), bounds with { MaxEntries = 100_000, MaxBytes = 1 << 30 }));
        Assert.Contains("leads upwards", await ReasonAsync(Tar("../x").ToArray(), bounds));
        var cut = LookRegistry.Gzip(Tar("cut"));
        Assert.NotEmpty(await ReasonAsync(cut[..^9], bounds));
    }

    [Fact]
    public async Task Layer_ThatTakesTooLong_Fails()
    {
        var gate = new GatedStore(_registry.Registry.Get<IBlobStore>());
        await _registry.PushUnreadAsync("v1", Repository, [Tar("a").ToArray()]);
        await FollowAsync();

        using var indexing = Indexing(new LookOptions { MaxTime = TimeSpan.FromSeconds(1) }, gate);
        Assert.Equal(LookState.Failed, (await indexing.NextAsync(default))!.State);
        Assert.Contains("00:00:01", await _registry.Registry.ScalarAsync<string>("SELECT error FROM layer_listings"));
    }

    [Fact]
    public async Task Store_ThatIsAway_LetsTheLayerWait()
    {
        var gate = new GatedStore(_registry.Registry.Get<IBlobStore>());
        await _registry.PushUnreadAsync("v1", Repository, [Tar("a").ToArray()]);
        await FollowAsync();
        gate.Fail(isAway: true);
        using var indexing = Indexing(new LookOptions(), gate);

        // However long it is away.
        for (var round = 0; round < 5; round++) await Assert.ThrowsAsync<IOException>(() => indexing.NextAsync(default));

        Assert.Equal("waiting", await StatesAsync());
        await _registry.ReadAllAsync();
        Assert.Equal("ready", await StatesAsync());
    }

    /// <summary>Though somebody waits for it, the others have their turn; and it is given up in the end.</summary>
    [Fact]
    public async Task Blob_ThatTheStoreCannotGive_IsTriedBehindTheOthers_AndThenFails()
    {
        var (lost, other) = (LookRegistry.Gzip(Tar("lost")), LookRegistry.Gzip(Tar("other")));
        await _registry.PushUnreadAsync("v1", Repository, [other]);
        await FollowAsync();
        await _registry.PushUnreadAsync("v2", Repository, [lost]);
        await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("v2"), default, null, 1, false, default);
        var gate = new GatedStore(_registry.Registry.Get<IBlobStore>());
        gate.Fail(isAway: false);
        using var failing = Indexing(new LookOptions(), gate);

        await Assert.ThrowsAsync<IOException>(() => failing.NextAsync(default));
        Assert.Equal(Digest.Of(other), (await _registry.Registry.Get<LayerIndexing>().NextAsync(default))!.Digest);
        await Assert.ThrowsAsync<IOException>(() => failing.NextAsync(default));
        var ended = await failing.NextAsync(default);
        Assert.Equal((Digest.Of(lost), LookState.Failed), (ended!.Digest, ended.State));
    }

    /// <summary>As one that takes all of the memory does.</summary>
    [Fact]
    public async Task Layer_ThatEndsThreeNodes_IsNotGivenToAFourth()
    {
        await _registry.PushUnreadAsync("v1", Repository, [Tar("a").ToArray()]);
        await FollowAsync();
        for (var node = 0; node < 3; node++)
        {
            var gate = new GatedStore(_registry.Registry.Get<IBlobStore>());
            using var lost = Indexing(new LookOptions(), gate);
            var reading = lost.NextAsync(default);
            await gate.Asked;
            await ExecuteAsync("UPDATE layer_listings SET node = 4711");
            gate.Open();
            Assert.Equal(LookState.Waiting, (await reading)!.State);
            Assert.Equal("reading", await StatesAsync());
        }

        Assert.Equal(LookState.Failed, (await _registry.Registry.Get<LayerIndexing>().NextAsync(default))!.State);
        Assert.Contains("3 times", await _registry.Registry.ScalarAsync<string>("SELECT error FROM layer_listings"));

        // Another version may do better.
        await ExecuteAsync("UPDATE layer_listings SET version = 0");
        await _registry.Registry.Get<LayerIndexing>().RenewAsync(default);
        Assert.Equal(LookState.Ready, (await _registry.Registry.Get<LayerIndexing>().NextAsync(default))!.State);
    }

    [Fact]
    public async Task Node_ThatStops_GivesItsLayerBack()
    {
        var gate = new GatedStore(_registry.Registry.Get<IBlobStore>());
        await _registry.PushUnreadAsync("v1", Repository, [Tar("a").ToArray()]);
        await FollowAsync();
        using var indexing = Indexing(new LookOptions(), gate);
        using var stop = new CancellationTokenSource();
        var reading = indexing.NextAsync(stop.Token);
        await gate.Asked;
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Equal(0, await _registry.Registry.ScalarAsync<int>("SELECT attempts FROM layer_listings WHERE state = 'waiting'"));
        Assert.Equal("waiting", await StatesAsync());
    }

    [Fact]
    public async Task Node_ThatIsGone_LeavesItsLayerToOthers_AndWritesNothingIfItComesBack()
    {
        var gate = new GatedStore(_registry.Registry.Get<IBlobStore>());
        await _registry.PushUnreadAsync("v1", Repository, [Tar("a").ToArray()]);
        await FollowAsync();
        using var lost = Indexing(new LookOptions(), gate);
        var reading = lost.NextAsync(default);
        await gate.Asked;

        // A node that runs is left alone; once its number is another's the layer is read again.
        await using var other = _registry.Registry.Database.DataSource.CreateConnection();
        await other.OpenAsync();
        await ExecuteAsync($"SELECT pg_advisory_lock({NodePresence.LockClass}, 4711)", other);
        await ExecuteAsync("UPDATE layer_listings SET node = 4711");
        Assert.Null(await _registry.Registry.Get<LayerIndexing>().NextAsync(default));
        await ExecuteAsync($"SELECT pg_advisory_unlock({NodePresence.LockClass}, 4711)", other);
        Assert.Equal(LookState.Ready, (await _registry.Registry.Get<LayerIndexing>().NextAsync(default))!.State);
        await ExecuteAsync("UPDATE layer_listings SET diff_id = 'kept'");

        gate.Open();
        Assert.Equal(LookState.Waiting, (await reading)!.State);
        Assert.Equal("kept", await _registry.Registry.ScalarAsync<string>("SELECT diff_id FROM layer_listings"));
        Assert.Equal(1L, await _registry.Registry.ScalarAsync<long>("SELECT count(*) FROM layer_pages"));
    }

    [Fact]
    public async Task Layer_ThatSomebodyWaitsFor_ComesFirst_AndOldOnesAreReadAgain()
    {
        await _registry.PushUnreadAsync("v1", Repository, [Tar("a").ToArray()]);
        await FollowAsync();
        var wanted = LookRegistry.Gzip(Tar("wanted"));
        await _registry.PushUnreadAsync("v2", Repository, [wanted]);

        // Never followed: it is in the queue because it was asked for, and in front.
        var looked = await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("v2"), default, null, 1, false, default);
        Assert.Equal((LookState.Waiting, null), (looked!.State, looked.Value));
        await _registry.Registry.Get<LayerListings>().WaitAsync(Timeout.InfiniteTimeSpan, default);
        Assert.Equal(Digest.Of(wanted), (await _registry.Registry.Get<LayerIndexing>().NextAsync(default))!.Digest);
        await _registry.ReadAllAsync();

        await ExecuteAsync("UPDATE layer_listings SET version = 0");
        Assert.Equal(LookState.Waiting, (await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("v1"), default, null, 1, false, default))!.State);
        await _registry.Registry.Get<LayerIndexing>().RenewAsync(default);
        Assert.Equal("waiting waiting", await StatesAsync());
        await _registry.ReadAllAsync();
        Assert.Equal("a", Assert.Single(await _registry.ListAsync("v1", "")).Path.ToString());
    }

    /// <summary>A layer that is just being written, or collected, needs nothing: who asks does not wait for that.</summary>
    [Fact]
    public async Task AskedFor_WhileARowIsLocked_DoesNotWait()
    {
        byte[][] layers = [Tar("a").ToArray(), Tar("b").ToArray()];
        await _registry.PushUnreadAsync("v1", Repository, layers);
        await FollowAsync();
        await using var writer = await _registry.Registry.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await writer.BeginTransactionAsync();
        await ExecuteAsync($"SELECT FROM layer_listings WHERE digest = '{Digest.Of(layers[0])}' FOR UPDATE", writer);

        await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("v1"), default, null, 1, false, default);
        Assert.Equal(Digest.Of(layers[1]).ToString(), await _registry.Registry.ScalarAsync<string>("SELECT string_agg(digest, ' ') FROM layer_listings WHERE urgent"));
    }

    /// <summary>What was read of rotten bytes goes when the blob is whole again, and so does what a node is still reading of them.</summary>
    [Fact]
    public async Task Blob_ThatWasRotten_IsReadAgainOnceItIsHealed()
    {
        var (layer, rotten) = (Tar("a").ToArray(), Tar("b").ToArray());
        await _registry.PushUnreadAsync("v1", Repository, [layer]);
        await FollowAsync();
        await File.WriteAllBytesAsync(_registry.Registry.Files().Single(path => new FileInfo(path).Length == layer.Length), rotten);
        await _registry.ReadAllAsync();
        Assert.Equal("b", Assert.Single(await _registry.ListAsync("v1", "")).Path.ToString());

        await HealAsync(layer);
        Assert.Equal("waiting", await StatesAsync());
        var gate = new GatedStore(_registry.Registry.Get<IBlobStore>());
        using var indexing = Indexing(new LookOptions(), gate);
        var reading = indexing.NextAsync(default);
        await gate.Asked;
        await HealAsync(layer);
        gate.Open();
        Assert.Equal(LookState.Waiting, (await reading)!.State);

        await _registry.ReadAllAsync();
        Assert.Equal("a", Assert.Single(await _registry.ListAsync("v1", "")).Path.ToString());
    }

    /// <summary>A blob that is about to be collected is not worth it.</summary>
    [Fact]
    public async Task Layer_WithoutALink_IsNotRead()
    {
        await _registry.PushUnreadAsync("v1", Repository, [Tar("a").ToArray()]);
        await FollowAsync();
        await ExecuteAsync("WITH away AS (DELETE FROM manifest_references) DELETE FROM blob_links");
        Assert.Null(await _registry.Registry.Get<LayerIndexing>().NextAsync(default));
    }

    [Fact]
    public async Task Blob_ThatIsCollected_TakesItsListingAlong()
    {
        var digest = await _registry.PushAsync("v1", Tar("a"));
        await _registry.Registry.DeleteManifestAsync(Repository, digest);
        await _registry.Registry.AgeAsync();
        await _registry.Registry.ReviewAsync();
        await _registry.Registry.AgeAsync();
        await _registry.Registry.ReviewAsync();

        Assert.Equal("", await StatesAsync());
        Assert.Equal(0L, await _registry.Registry.ScalarAsync<long>("SELECT count(*) FROM layer_pages"));
    }

    private static TarBytes Tar(params string[] files) => files.Aggregate(new TarBytes(), (tar, file) => tar.File(file, file)).End();

    private static byte[] Bomb()
    {
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, CompressionLevel.Fastest))
        {
            gzip.Write(new TarBytes().Header(header => header.Name("zeros").Type('0').Size(1L << 32)).ToArray());
            for (var block = 0; block < 64; block++) gzip.Write(new byte[1 << 20]);
        }

        return to.ToArray();
    }

    private async Task<string> ReasonAsync(byte[] layer, LookOptions bounds)
    {
        await _registry.PushUnreadAsync("v1", Repository, [layer]);
        await FollowAsync();
        using var indexing = Indexing(bounds, _registry.Registry.Get<IBlobStore>());
        Assert.Equal(LookState.Failed, (await indexing.NextAsync(default))!.State);
        var looked = await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("v1"), default, null, 1, false, default);
        Assert.Equal(LookState.Failed, looked!.State);
        return looked.Layers[0].Reason!;
    }

    private LayerIndexing Indexing(LookOptions bounds, IBlobStore store) => new(_registry.Registry.Database.DataSource, _registry.Registry.Get<NodePresence>(),
        new LayerBlobs(store), Options.Create(bounds), TimeProvider.System, NullLogger<LayerIndexing>.Instance);

    private async Task FollowAsync()
    {
        while (await _registry.Registry.Get<EventOutbox>().FollowAsync(default) > 0) continue;
    }

    /// <summary>As a scrub finds it and a push heals it.</summary>
    private async Task HealAsync(byte[] layer)
    {
        await _registry.Registry.ScalarAsync<object>("UPDATE blobs SET quarantined_at = now() WHERE digest = $1", Digest.Of(layer).ToString());
        await _registry.Registry.PushBlobAsync(Repository, layer);
        await FollowAsync();
    }

    private Task<string> StatesAsync() => _registry.Registry.ScalarAsync<string>(States);

    private async Task ExecuteAsync(string sql, Npgsql.NpgsqlConnection? connection = null)
    {
#pragma warning disable CA2100 // statements of the tests
        await using var command = connection is null ? _registry.Registry.Database.DataSource.CreateCommand(sql) : new Npgsql.NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
