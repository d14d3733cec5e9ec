using Gantry.Core.GarbageCollection;
using Gantry.Core.Pull;
using Gantry.Oci;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Core.Tests.GarbageCollection;

/// <summary>What the reviews remove and what they leave, one at a time; <see cref="ReviewRaceTests"/> has them beside pushes.</summary>
[Trait("Speed", "Slow")]
public sealed class ReviewTests : IAsyncLifetime
{
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task UnreferencedBlob_StaysForItsGrace_ThenGoesWithItsBytes()
    {
        var blob = await _registry.PushBlobAsync("app", "lonely");
        await _registry.AgeAsync(TimeSpan.FromHours(23));
        await _registry.ReviewAsync();
        Assert.Equal("lonely"u8.ToArray(), await _registry.ReadBlobAsync("app", blob));

        await _registry.AgeAsync(TimeSpan.FromHours(2));
        await _registry.ReviewAsync();
        Assert.Null(await _registry.ReadBlobAsync("app", blob));
        Assert.Equal("0 0 0", await _registry.RowsAsync());
        Assert.Single(_registry.Files());

        Assert.Equal(1, (await _registry.Get<DoomedLocations>().SweepAsync(500, default)).Gone);
        Assert.Empty(_registry.Files());
    }

    [Fact]
    public async Task BlobOfAManifest_IsLookedAtOnce_AndStays()
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.AgeAsync();
        await _registry.ReviewAsync();

        Assert.Equal(0, await _registry.ScalarAsync<long>("SELECT count(*) FROM blob_links WHERE suspect_since IS NOT NULL"));
        Assert.NotNull(await _registry.FindManifestAsync("app", image.ToString()));
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("app", Digest.Of("layer"u8)));
        Assert.Equal(default, await _registry.Get<LinkReview>().ReviewAsync(100, default));
    }

    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task BlobThatAHeadShowed_StaysForAnotherGrace()
    {
        var blob = await _registry.PushBlobAsync("app", "asked for");
        await _registry.AgeAsync();
        Assert.NotNull(await _registry.Get<BlobPull>().FindAsync(RepositoryName.Parse("app"), blob, renew: true, default));

        await _registry.ReviewAsync();
        await _registry.AgeAsync(TimeSpan.FromHours(23));
        await _registry.ReviewAsync();
        Assert.NotNull(await _registry.ReadBlobAsync("app", blob));

        await _registry.AgeAsync(TimeSpan.FromHours(2));
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task MountedBlob_OutlivesItsSource()
    {
        var blob = await _registry.PushBlobAsync("source", "shared");
        await _registry.AgeAsync();
        Assert.True(await _registry.MountAsync("target", blob, "source"));

        await _registry.ReviewAsync();

        Assert.Null(await _registry.ReadBlobAsync("source", blob));
        Assert.Equal("shared"u8.ToArray(), await _registry.ReadBlobAsync("target", blob));
        Assert.Equal("0 1 1", await _registry.RowsAsync());
    }

    [Fact]
    public async Task DeletedManifest_GoesAfterItsGrace_AndOneRunTakesAllItNeededAlone()
    {
        var gone = await _registry.PushImageAsync("app", "v1", "shared", "own");
        await _registry.PushImageAsync("app", "v2", "shared");
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.True(await _registry.DeleteManifestAsync("app", gone));
        await _registry.ReviewAsync();
        Assert.Equal("2 3 3", await _registry.RowsAsync());

        await _registry.AgeAsync();
        await _registry.ReviewAsync();

        Assert.Equal("1 2 2", await _registry.RowsAsync());
        Assert.Null(await _registry.ReadBlobAsync("app", Digest.Of("own"u8)));
        Assert.NotNull(await _registry.ReadBlobAsync("app", Digest.Of("shared"u8)));
    }

    [Fact]
    public async Task BlobOfADeletedManifest_WaitsWhereAHeadRenewedIt()
    {
        var gone = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        await _registry.DeleteManifestAsync("app", gone);
        await _registry.AgeAsync();
        Assert.NotNull(await _registry.Get<BlobPull>().FindAsync(RepositoryName.Parse("app"), Digest.Of("layer"u8), renew: true, default));

        await _registry.ReviewAsync();

        Assert.Equal("0 1 1", await _registry.RowsAsync());
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    public async Task DeletedIndex_HoldsItsDeletedChildren_UntilItGoesItself()
    {
        var children = new[] { await _registry.PushImageAsync("app", null, "a"), await _registry.PushImageAsync("app", null, "b") };
        var index = await _registry.PushIndexAsync("app", "v1", children);
        await _registry.DeleteManifestAsync("app", index);
        await _registry.AgeAsync(TimeSpan.FromHours(12));
        foreach (var child in children) await _registry.DeleteManifestAsync("app", child);
        await _registry.AgeAsync(TimeSpan.FromHours(6));

        await _registry.ReviewAsync();
        Assert.Equal("3 3 3", await _registry.RowsAsync());

        // The index is due, its children are not.
        await _registry.AgeAsync(TimeSpan.FromHours(7));
        await _registry.ReviewAsync();
        Assert.Equal("2 3 3", await _registry.RowsAsync());

        await _registry.AgeAsync(TimeSpan.FromHours(12));
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    public async Task ChildDeletedLongBeforeItsIndexWent_GoesInTheSameRun()
    {
        var child = await _registry.PushImageAsync("app", null, "a");
        var index = await _registry.PushIndexAsync("app", "v1", child);
        await _registry.DeleteManifestAsync("app", index);
        await _registry.DeleteManifestAsync("app", child);
        // The child's first review finds it held by the hidden index.
        await _registry.ScalarAsync<object>("UPDATE manifests SET suspect_since = suspect_since - interval '2 days', deleted_at = deleted_at - interval '2 days' WHERE digest = $1", child.ToString());
        await _registry.ReviewAsync();
        Assert.Equal(1, await _registry.ScalarAsync<long>("SELECT count(*) FROM manifests WHERE suspect_since IS NULL AND deleted_at IS NOT NULL"));

        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    public async Task ManifestPushedAgain_IsNoSuspectAnyMore()
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.DeleteManifestAsync("app", image);
        await _registry.AgeAsync(TimeSpan.FromHours(23));
        await _registry.PushManifestAsync("app", "v2", CollectedRegistry.Image("layer"));
        await _registry.AgeAsync();
        await _registry.ReviewAsync();

        Assert.NotNull(await _registry.FindManifestAsync("app", "v2"));
        Assert.Equal("1 2 2", await _registry.RowsAsync());
    }

    [Fact]
    public async Task ForeignLayerDeletedWhileItsManifestWasHidden_GoesThoughTheManifestCameBack()
    {
        var layer = await _registry.PushBlobAsync("app", "foreign");
        await _registry.PushBlobAsync("app", RegistryClient.EmptyConfig);
        var json = CollectedRegistry.Image("foreign").Replace(
            "application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", StringComparison.Ordinal);
        var image = await _registry.PushManifestAsync("app", "v1", json);
        await _registry.DeleteManifestAsync("app", image);
        await _registry.DeleteBlobAsync("app", layer);
        await _registry.AgeAsync(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1));
        await _registry.Get<LinkReview>().ReviewAsync(100, default);
        await _registry.PushManifestAsync("app", "v1", json);

        await _registry.ReviewAsync();

        Assert.Equal("1 1 1", await _registry.RowsAsync());
        Assert.NotNull(await _registry.FindManifestAsync("app", "v1"));
    }

    /// <summary>An index whose entries are layers (BuildKit's cache export before 0.21) holds them like an image does.</summary>
    [Fact]
    [Trait("Protocol", "D3.39")]
    public async Task IndexOfBlobs_KeepsThem_AndReleasesThem()
    {
        var (layer, config) = (await _registry.PushBlobAsync("cache", "layer"), await _registry.PushBlobAsync("cache", "{}"));
        var index = await _registry.PushManifestAsync("cache", "buildcache", RegistryClient.IndexJson(
            ("application/vnd.oci.image.layer.v1.tar+gzip", layer, 5), ("application/vnd.buildkit.cacheconfig.v0", config, 2)), MediaTypes.OciIndex);
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("cache", layer));
        Assert.Equal("1 2 2", await _registry.RowsAsync());

        await _registry.DeleteManifestAsync("cache", index);
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    public async Task BlobPushedAgainAfterItWent_HasALocationOfItsOwn_ThatTheOldBytesDeletionDoesNotHit()
    {
        var blob = await _registry.PushBlobAsync("app", "twice");
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        await _registry.PushBlobAsync("app", "twice");
        Assert.Equal(2, _registry.Files().Count());

        await _registry.Get<DoomedLocations>().SweepAsync(500, default);

        Assert.Equal("twice"u8.ToArray(), await _registry.ReadBlobAsync("app", blob));
        Assert.Single(_registry.Files());
    }

    /// <summary>However many pages a blob's listing has, no statement removes more than a batch of them, and none with the blob locked.</summary>
    [Fact]
    public async Task BlobWithAListing_GoesAfterItsPages_BatchByBatch()
    {
        var blob = await _registry.PushBlobAsync("app", "layer");
        await ListAsync(blob, pages: 7);
        await _registry.AgeAsync();
        await _registry.Get<LinkReview>().ReviewAsync(5, default);

        var review = _registry.Get<BlobReview>();
        Assert.Equal(new Reviewed(3, 3, 0), await review.ReviewAsync(3, default));
        Assert.Equal((4, "waiting"), (await PagesAsync(), await _registry.ScalarAsync<string>("SELECT state FROM layer_listings")));
        Assert.Equal(new Reviewed(3, 3, 0), await review.ReviewAsync(3, default));
        Assert.Equal(new Reviewed(2, 2, 1, 5), await review.ReviewAsync(3, default));
        Assert.Equal("0 0 0", await _registry.RowsAsync());
        Assert.Equal(0, await _registry.ScalarAsync<long>("SELECT count(*) FROM layer_listings"));
    }

    /// <summary>A node that writes a listing has its row for as long as that takes.</summary>
    [Fact]
    public async Task BlobWhoseListingIsBeingWritten_IsLeftToALaterRun()
    {
        var (written, other) = (await _registry.PushBlobAsync("app", "layer"), await _registry.PushBlobAsync("app", "another"));
        await ListAsync(written, pages: 0);
        await _registry.AgeAsync();
        await _registry.Get<LinkReview>().ReviewAsync(5, default);
        await using (var connection = await _registry.Database.DataSource.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var take = new NpgsqlCommand("SELECT FROM layer_listings FOR UPDATE", connection);
            await take.ExecuteNonQueryAsync();
            Assert.Equal(new Reviewed(2, 1, 1, 7), await _registry.Get<BlobReview>().ReviewAsync(5, default));
            Assert.False((await _registry.Get<BlobReview>().ReviewAsync(5, default)).GoOn);
        }

        Assert.Equal(1, (await _registry.Get<BlobReview>().ReviewAsync(5, default)).Gone);
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    /// <summary>Its blob is in use: it keeps what is known of it.</summary>
    [Fact]
    public async Task ListingOfABlobWithALink_KeepsItsPages()
    {
        foreach (var repository in (string[])["a", "b"]) await _registry.PushBlobAsync(repository, "layer");
        await ListAsync(Digest.Of("layer"u8), pages: 2);
        await _registry.AgeAsync();
        await _registry.Get<LinkReview>().ReviewAsync(1, default);

        Assert.Equal(new Reviewed(1, 1, 0), await _registry.Get<BlobReview>().ReviewAsync(1, default));
        Assert.Equal((2, "ready"), (await PagesAsync(), await _registry.ScalarAsync<string>("SELECT state FROM layer_listings")));
        Assert.False((await _registry.Get<BlobReview>().ReviewAsync(1, default)).GoOn);
    }

    [Fact]
    public async Task Batches_AreAsLargeAsAskedFor()
    {
        for (var number = 0; number < 5; number++) await _registry.PushBlobAsync("app", $"blob {number}");
        await _registry.AgeAsync();

        Assert.Equal(new Reviewed(2, 2, 2), await _registry.Get<LinkReview>().ReviewAsync(2, default));
        Assert.Equal(new Reviewed(2, 2, 2, 12), await _registry.Get<BlobReview>().ReviewAsync(5, default));
        Assert.Equal(new Reviewed(3, 3, 3), await _registry.Get<LinkReview>().ReviewAsync(5, default));
        Assert.False((await _registry.Get<LinkReview>().ReviewAsync(5, default)).GoOn);
    }

    private async Task ListAsync(Digest blob, int pages)
    {
        await _registry.ScalarAsync<object>("INSERT INTO layer_listings (digest, state, version) VALUES ($1, 'ready', 1)", blob.ToString());
        await _registry.ScalarAsync<object>("INSERT INTO layer_pages (digest, first, page) SELECT $1, i::text::bytea, '' FROM generate_series(1, $2) i", blob.ToString(), pages);
    }

    private async Task<int> PagesAsync() => (int)await _registry.ScalarAsync<long>("SELECT count(*) FROM layer_pages");
}
