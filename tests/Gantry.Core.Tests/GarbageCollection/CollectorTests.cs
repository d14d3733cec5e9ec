using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Core.Pull;
using Gantry.Core.Push;
using Gantry.Oci;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Core.Tests.GarbageCollection;

/// <summary>Whole runs: uploads, orphans, retention, bytes.</summary>
[Trait("Speed", "Slow")]
public sealed class CollectorTests : IAsyncLifetime
{
    private readonly List<CollectedRegistry> _registries = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var registry in _registries) await registry.DisposeAsync();
    }

    private async Task<CollectedRegistry> CreateAsync(params string[] settings)
    {
        var registry = await CollectedRegistry.CreateAsync([.. settings, "Gc:MaxPerSecond=100000", "Gc:MaxShare=1"]);
        _registries.Add(registry);
        return registry;
    }

    [Fact]
    public async Task Run_TakesManifestsLinksBlobsAndBytesDownInOneGo()
    {
        var registry = await CreateAsync();
        var image = await registry.PushImageAsync("app", "v1", "layer");
        await registry.DeleteManifestAsync("app", image);
        await registry.AgeAsync();

        var done = await registry.Get<Collector>().RunAsync(everything: false, default);

        Assert.Equal((1, 2, 2, 7L, 2), (done.Manifests.Gone, done.Links.Gone, done.Blobs.Gone, done.Blobs.Bytes, done.Locations.Gone));
        Assert.Equal("0 0 0", await registry.RowsAsync());
        Assert.Empty(registry.Files());
        Assert.True((await registry.Get<Collector>().RunAsync(everything: false, default)).IsNothing);
    }

    /// <summary>As where more than so many cannot be removed in a statement's time.</summary>
    [Fact]
    public async Task BatchThatTakesTooLong_IsTriedAgainInHalves()
    {
        var registry = await CreateAsync();
        await registry.ScalarAsync<object>(
            """
            INSERT INTO blobs (digest, size, location, suspect_since)
            SELECT 'sha256:' || lpad(to_hex(i), 64, '0'), 1, 'blobs/' || right(lpad(to_hex(i), 2, '0'), 2) || '/' || lpad(to_hex(i), 32, '0'), now() FROM generate_series(1, 150) i
            """);
        await registry.ScalarAsync<object>(
            """
            CREATE FUNCTION too_many() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (SELECT count(*) FROM gone) > 30 THEN RAISE EXCEPTION 'too many' USING ERRCODE = 'query_canceled'; END IF;
                RETURN NULL;
            END $$
            """);
        await registry.ScalarAsync<object>("CREATE TRIGGER slow AFTER DELETE ON blobs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION too_many()");

        Assert.Equal(150, (await registry.Get<Collector>().RunAsync(everything: false, default)).Blobs.Gone);

        // A single one that cannot be removed is told.
        await registry.PushBlobAsync("app", "blob");
        await registry.AgeAsync();
        await registry.ScalarAsync<object>("CREATE OR REPLACE FUNCTION too_many() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too many' USING ERRCODE = 'query_canceled'; END $$");
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => registry.Get<Collector>().RunAsync(everything: false, default));
        Assert.True(DatabaseOutage.IsTimeout(fault));
    }

    [Fact]
    public async Task Bytes_StayForTheirDelay()
    {
        var registry = await CreateAsync("Gc:ByteDelay=01:00:00");
        await registry.PushBlobAsync("app", "blob");
        await registry.AgeAsync();
        Assert.Equal(0, (await registry.Get<Collector>().RunAsync(everything: false, default)).Locations.Gone);
        Assert.Single(registry.Files());

        await registry.AgeAsync(TimeSpan.FromMinutes(61));
        Assert.Equal(1, (await registry.Get<Collector>().RunAsync(everything: false, default)).Locations.Gone);
        Assert.Empty(registry.Files());
    }

    [Fact]
    public async Task Upload_ThatARunningNodeWritesTo_DoesNotExpire()
    {
        var registry = await CreateAsync();
        var sessions = registry.Get<UploadSessions>();
        var (idle, held) = (await StartAsync(), await StartAsync());
        var open = await sessions.OpenAsync(RepositoryName.Parse("app"), held, default);
        await registry.AgeAsync();

        Assert.Equal(1, (await registry.Get<Collector>().RunAsync(everything: false, default)).Uploads.Gone);
        Assert.Null(await sessions.FindAsync(RepositoryName.Parse("app"), idle, default));
        Assert.NotNull(await sessions.FindAsync(RepositoryName.Parse("app"), held, default));

        // Given back, and as if the node had ended without doing so.
        await open.DisposeAsync();
        await registry.ScalarAsync<object>("UPDATE upload_sessions SET writer = 999999");
        Assert.Equal(1, (await registry.Get<Collector>().RunAsync(everything: false, default)).Uploads.Gone);
        Assert.Empty(registry.Files());

        async Task<Guid> StartAsync() => (await sessions.StartAsync(RepositoryName.Parse("app"), DigestAlgorithm.Sha256, null, default)).Id;
    }

    [Fact]
    public async Task Orphans_Go_AndNothingThatHasAnOwner()
    {
        var registry = await CreateAsync();
        var blob = await registry.PushBlobAsync("app", "owned");
        var running = await registry.Get<UploadSessions>().StartAsync(RepositoryName.Parse("app"), DigestAlgorithm.Sha256, null, default);
        // What a commit lost on its way, what an upload left, and one that waits for its deletion already.
        string[] lost = [Lay(registry, "blobs"), Lay(registry, "blobs"), Lay(registry, "uploads")];
        var waiting = Lay(registry, "uploads");
        await registry.ScalarAsync<object>(
            "INSERT INTO doomed_locations (location, kind, session_id, delete_after) VALUES ('upload/' || $1, 'upload', $1::uuid, now() + interval '1 day')",
            Path.GetFileName(waiting));
        var foreign = Path.Combine(registry.Store, "blobs", "00", "README");
        await File.WriteAllTextAsync(foreign, "not ours");

        var done = await registry.Get<Collector>().RunAsync(everything: true, default);

        Assert.Equal((3, 15L), (done.Orphans.Gone, done.Orphans.Bytes));
        Assert.All(lost, path => Assert.False(File.Exists(path)));
        Assert.True(File.Exists(waiting) && File.Exists(foreign));
        Assert.Equal("owned"u8.ToArray(), await registry.ReadBlobAsync("app", blob));
        Assert.NotNull(await registry.Get<UploadSessions>().FindAsync(RepositoryName.Parse("app"), running.Id, default));
        Assert.Equal(4, registry.Files().Count());
    }

    /// <summary>As after a start with a new database, or another one's connection string.</summary>
    [Fact]
    public async Task Orphans_InTheStoreOfAnotherDatabase_Stay()
    {
        var registry = await CreateAsync();
        var (lost, owner) = (Lay(registry, "blobs"), Path.Combine(registry.Store, "owner"));
        await File.WriteAllTextAsync(owner, $"{Guid.NewGuid()}\n");
        Assert.Equal(0, (await registry.Get<Collector>().RunAsync(everything: true, default)).Orphans.Gone);
        Assert.True(File.Exists(lost));

        File.Delete(owner);
        Assert.Equal(1, (await registry.Get<Collector>().RunAsync(everything: true, default)).Orphans.Gone);
    }

    [Fact]
    public async Task OrphanPass_TakesItsTime_AndEachShardIsOneNodes()
    {
        var registry = await CreateAsync("Gc:OrphanPass=1.00:00:00");
        for (var number = 0; number < 256; number++) Lay(registry, "blobs", $"{number:x2}");
        var search = registry.Get<OrphanSearch>();
        Assert.Equal(1, await FoundAsync());
        Assert.Equal(0, await FoundAsync());
        await registry.AgeAsync(TimeSpan.FromDays(1) / 256);
        Assert.Equal(1, (await Task.WhenAll(FoundAsync(), FoundAsync(), FoundAsync())).Sum());

        // Away for a day: not all of it at once.
        await registry.AgeAsync(TimeSpan.FromDays(1));
        Assert.InRange(await FoundAsync(), 15, 18);
        for (var hour = 0; hour < 24; hour++)
        {
            await registry.AgeAsync(TimeSpan.FromHours(1));
            await FoundAsync();
        }

        Assert.Equal(256, await registry.ScalarAsync<long>("SELECT count(*) FROM doomed_locations"));

        async Task<int> FoundAsync()
        {
            var found = 0;
            await foreach (var batch in search.RunAsync(all: false, default)) found += batch.Gone;
            return found;
        }
    }

    /// <summary>A close lists its bytes before its row is there, and asks when it is: the search must not take them for lost.</summary>
    [Fact]
    public async Task OrphanSearch_BesideACommit_LeavesItsBytes()
    {
        var registry = await CreateAsync();
        var closing = registry.Pauses.BeforeCommit();
        var push = registry.PushBlobAsync("app", "in between");
        await closing.Reached;
        var asking = registry.Pauses.Before("unnest");
        var search = registry.Get<Collector>().RunAsync(everything: true, default);
        await asking.Reached;
        closing.Release();
        await push;
        asking.Release();

        Assert.Equal(0, (await search).Orphans.Gone);
        Assert.Equal("in between"u8.ToArray(), await registry.ReadBlobAsync("app", Digest.Of("in between"u8)));
    }

    [Fact]
    public async Task Untagged_WithoutARule_Stays()
    {
        var registry = await CreateAsync();
        await registry.PushImageAsync("app", null, "layer");
        await registry.AgeAsync(TimeSpan.FromDays(1000));
        await registry.Get<Collector>().RunAsync(everything: true, default);
        Assert.Equal("1 2 2", await registry.RowsAsync());
    }

    [Fact]
    public async Task RetentionRule_HidesWhatIsUntaggedForLongEnough_AsADeleteWould()
    {
        var registry = await CreateAsync("Gc:Retention:0:Repositories=ci/keep/*", "Gc:Retention:0:UntaggedAfter=3650.00:00:00",
            "Gc:Retention:1:Repositories=ci/*", "Gc:Retention:1:UntaggedAfter=7.00:00:00");
        var moved = await registry.PushImageAsync("ci/app", "latest", "1");
        await registry.PushImageAsync("ci/keep/app", null, "1");
        await registry.PushImageAsync("other", null, "1");
        await registry.AgeAsync(TimeSpan.FromDays(30));
        var tagged = await registry.PushImageAsync("ci/app", "latest", "2");
        await registry.AgeAsync(TimeSpan.FromDays(6));
        await RunAsync();
        Assert.NotNull(await registry.FindManifestAsync("ci/app", moved.ToString()));

        await registry.AgeAsync(TimeSpan.FromDays(2));
        await RunAsync();

        Assert.Null(await registry.FindManifestAsync("ci/app", moved.ToString()));
        Assert.NotNull(await registry.FindManifestAsync("ci/app", tagged.ToString()));
        Assert.Equal(3, await registry.ScalarAsync<long>("SELECT count(*) FROM manifests WHERE deleted_at IS NULL"));
        Assert.Equal($"manifest.delete {moved} untagged for 7.00:00:00, by the rule ci/*", await registry.ScalarAsync<string>(
            "SELECT kind || ' ' || digest || ' ' || detail FROM events ORDER BY id DESC LIMIT 1"));

        // It comes back, and is then as good as new.
        Assert.NotNull(await registry.RestoreManifestAsync("ci/app", moved));
        await RunAsync();
        Assert.NotNull(await registry.FindManifestAsync("ci/app", moved.ToString()));

        Task RunAsync() => registry.Get<Collector>().RunAsync(everything: true, default);
    }

    /// <summary>Referrers go with their subject: not with the request that deletes it, and not never.</summary>
    [Fact]
    [Trait("Protocol", "D3.51")]
    public async Task Retention_KeepsChildrenAndReferrersOfWhatIsLive_AndCollectsThemAfterIt()
    {
        var registry = await CreateAsync("Gc:Retention:0:Repositories=*", "Gc:Retention:0:UntaggedAfter=7.00:00:00");
        var child = await registry.PushImageAsync("app", null, "child");
        var index = await registry.PushIndexAsync("app", "v1", child);
        var signature = await registry.PushManifestAsync("app", null, RegistryClient.ImageJson([], index, "application/vnd.dev.sigstore.bundle.v0.3+json"));
        var counter = await registry.PushManifestAsync("app", null, RegistryClient.ImageJson([], signature, "application/vnd.example.countersignature"));
        await registry.AgeAsync(TimeSpan.FromDays(100));
        await RunAsync();
        foreach (var digest in new[] { child, index, signature, counter }) Assert.NotNull(await registry.FindManifestAsync("app", digest.ToString()));

        await registry.DeleteManifestAsync("app", index);
        await registry.AgeAsync(TimeSpan.FromDays(6));
        await RunAsync();
        foreach (var digest in new[] { child, signature, counter }) Assert.NotNull(await registry.FindManifestAsync("app", digest.ToString()));

        // Each round of the chain waits for its own seven days, and a grace.
        for (var round = 0; round < 3; round++)
        {
            await registry.AgeAsync(TimeSpan.FromDays(8));
            await RunAsync();
        }

        await registry.AgeAsync();
        await RunAsync();
        Assert.Equal("0 0 0", await registry.RowsAsync());

        Task RunAsync() => registry.Get<Collector>().RunAsync(everything: true, default);
    }

    [Fact]
    public async Task Retention_GoesThroughAllPages_AndOneNodeHasAPage()
    {
        var registry = await CreateAsync("Gc:Retention:0:Repositories=b*", "Gc:Retention:0:UntaggedAfter=1.00:00:00");
        for (var number = 0; number < 7; number++)
        {
            foreach (var repository in (string[])["a", "b1", "b2"]) await registry.PushImageAsync(repository, null, $"{number}");
        }

        await registry.AgeAsync();
        var retention = registry.Get<Retention>();
        Reviewed sum = default, page;
        do
        {
            var both = await Task.WhenAll(retention.ReviewAsync(3, default), retention.ReviewAsync(3, default));
            page = both[0] + both[1];
            sum += page;
        }
        while (page.GoOn);

        Assert.Equal((14, 14), (sum.Looked - LookedAtRepositories(sum), sum.Gone));
        Assert.Equal(7, await registry.ScalarAsync<long>("SELECT count(*) FROM manifests WHERE deleted_at IS NULL"));
        Assert.False((await retention.ReviewAsync(3, default)).GoOn);

        // The last page of a pass looks at repositories; there are three.
        static int LookedAtRepositories(Reviewed all) => all.Looked - 14;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Retention_RacingATag_NeverHidesWhatIsTagged(bool tagFirst)
    {
        var registry = await CreateAsync("Gc:Retention:0:Repositories=*", "Gc:Retention:0:UntaggedAfter=1.00:00:00");
        await registry.PushImageAsync("app", null, "layer");
        await registry.AgeAsync();
        var retention = registry.Get<Retention>();
        var pause = registry.Pauses.Before(tagFirst ? "INSERT INTO tags" : "UPDATE manifests m SET deleted_at");
        Task<Digest> push;
        Task<Reviewed> review;
        if (tagFirst)
        {
            push = registry.PushManifestAsync("app", "v1", CollectedRegistry.Image("layer"));
            await pause.Reached;
            review = retention.ReviewAsync(100, default);
            Assert.Equal(0, (await review).Gone);
        }
        else
        {
            review = retention.ReviewAsync(100, default);
            await pause.Reached;
            push = registry.PushManifestAsync("app", "v1", CollectedRegistry.Image("layer"));
            await registry.WaitersAsync(1);
        }

        pause.Release();
        await push;
        Assert.Equal(tagFirst ? 0 : 1, (await review).Gone);
        Assert.NotNull(await registry.FindManifestAsync("app", "v1"));
    }

    /// <summary>The tag is committed while retention is between its two statements; only the second sees it.</summary>
    [Fact]
    public async Task Retention_AsksAgainWithTheLock()
    {
        var registry = await CreateAsync("Gc:Retention:0:Repositories=*", "Gc:Retention:0:UntaggedAfter=1.00:00:00");
        var image = await registry.PushImageAsync("app", null, "layer");
        await registry.AgeAsync();
        var pause = registry.Pauses.Before("UPDATE manifests m SET deleted_at");
        var review = registry.Get<Retention>().ReviewAsync(100, default);
        await pause.Reached;
        // As a tag that was moved here by whoever had the manifest before.
        await registry.ScalarAsync<object>("ALTER TABLE tags DISABLE TRIGGER ALL; INSERT INTO tags (repository_id, name, manifest_digest) SELECT repository_id, 'v1', digest FROM manifests");
        pause.Release();

        Assert.Equal(0, (await review).Gone);
        Assert.NotNull(await registry.FindManifestAsync("app", image.ToString()));
    }

    [Fact]
    public async Task TwoCollectorsAtOnce_RemoveEverythingOnce()
    {
        var registry = await CreateAsync();
        for (var number = 0; number < 40; number++)
        {
            var image = await registry.PushImageAsync($"app{number % 3}", null, $"{number}", "shared");
            await registry.DeleteManifestAsync($"app{number % 3}", image);
        }

        await registry.AgeAsync();
        var collector = registry.Get<Collector>();
        var done = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => collector.RunAsync(everything: false, default))));
        await collector.RunAsync(everything: false, default);

        Assert.Equal("0 0 0", await registry.RowsAsync());
        Assert.Empty(registry.Files());
        Assert.Equal(40, done.Sum(run => run.Manifests.Gone));
    }

    private static string Lay(CollectedRegistry registry, string kind, string? shard = null)
    {
        var id = Guid.NewGuid().ToString("N");
        if (shard is not null) id = id[..30] + shard;
        var path = Path.Combine(registry.Store, kind, id[^2..], id);
        File.WriteAllText(path, "lost!");
        return path;
    }
}
