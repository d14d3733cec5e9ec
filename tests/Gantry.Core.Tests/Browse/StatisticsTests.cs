using System.Text;
using Gantry.Core.Browse;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Core.Tests.Browse;

[Trait("Speed", "Slow")]
public sealed class StatisticsTests : IAsyncLifetime
{
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Push_IsCounted_WithWhatItsRepositoryHasAlone()
    {
        await _registry.PushImageOfAsync("team/one", "latest", "{}", "shared layer", "one's own");
        await _registry.PushImageOfAsync("team/two", "latest", "{}", "shared layer");
        await _registry.CountAsync();

        var (one, two) = (Browsing.ImageOf("{}", "shared layer", "one's own").Length, Browsing.ImageOf("{}", "shared layer").Length);
        Assert.Equal($"{2 + 12 + 9 + one} {9 + one} 0 1 1", await _registry.StatisticsAsync("team/one"));
        Assert.Equal($"{2 + 12 + two} {two} 0 1 1", await _registry.StatisticsAsync("team/two"));
        Assert.False(await _registry.IsStaleAsync("team/one"));
        Assert.True(await _registry.ScalarAsync<bool>("SELECT bool_and(pushed_at > now() - interval '1 minute') FROM repository_statistics"));
    }

    [Fact]
    public async Task Deletion_IsCounted_AndItsBytesAreReclaimableUntilTheyGo()
    {
        var image = await _registry.PushImageOfAsync("team/one", "latest", "{}", "a layer");
        await _registry.CountAsync();
        var size = 2 + 7 + Browsing.ImageOf("{}", "a layer").Length;

        await _registry.DeleteManifestAsync("team/one", image);
        await _registry.CountAsync();
        Assert.Equal($"{size} {size} {size} 0 0", await _registry.StatisticsAsync("team/one"));

        await _registry.RestoreManifestAsync("team/one", image);
        await _registry.CountAsync();
        Assert.Equal($"{size} {size} 0 1 1", await _registry.StatisticsAsync("team/one"));

        await _registry.DeleteManifestAsync("team/one", image);
        await _registry.CountAsync();
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.True(await _registry.IsStaleAsync("team/one"));
        await _registry.CountAsync();
        Assert.Equal("0 0 0 0 0", await _registry.StatisticsAsync("team/one"));
    }

    [Fact]
    public async Task Review_ThatTakesALink_LeavesTheBlobToTheOtherRepositoryAlone()
    {
        var layer = await _registry.PushBlobAsync("team/one", "a layer");
        await _registry.PushImageOfAsync("team/two", "latest", "{}", "a layer");
        await _registry.MarkNewLinksAsync();
        await _registry.CountAsync();
        Assert.Equal("7 0 0 0 0", await _registry.StatisticsAsync("team/one"));

        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.Equal((true, true), (await _registry.IsStaleAsync("team/one"), await _registry.IsStaleAsync("team/two")));
        await _registry.CountAsync();

        var size = 2 + 7 + Browsing.ImageOf("{}", "a layer").Length;
        Assert.Equal("0 0 0 0 0", await _registry.StatisticsAsync("team/one"));
        Assert.Equal($"{size} {size} 0 1 1", await _registry.StatisticsAsync("team/two"));
        Assert.NotEqual(default, layer);
    }

    [Fact]
    public async Task UploadAndMount_WithoutAnEvent_AreFound()
    {
        var layer = await _registry.PushBlobAsync("team/one", "a layer");
        await _registry.Get<NewLinks>().MarkAsync(default);
        await _registry.CountAsync();
        Assert.Equal("7 7 7 0 0", await _registry.StatisticsAsync("team/one"));

        await _registry.MountAsync("team/two", layer, "team/one");
        await _registry.MarkNewLinksAsync();
        Assert.Equal((true, true), (await _registry.IsStaleAsync("team/one"), await _registry.IsStaleAsync("team/two")));
        await _registry.CountAsync();
        Assert.Equal(("7 0 7 0 0", "7 0 7 0 0"), (await _registry.StatisticsAsync("team/one"), await _registry.StatisticsAsync("team/two")));
    }

    /// <summary>The look goes back further than the last one; it must not have everything counted for ever.</summary>
    [Fact]
    public async Task Links_ThatWereCountedWellAfterTheyCame_AreLeftAlone()
    {
        await _registry.PushBlobAsync("team/one", "a layer");
        await _registry.Get<NewLinks>().MarkAsync(default);
        await _registry.CountAsync();
        await _registry.ScalarAsync<object>("UPDATE repository_statistics SET counted_at = now() + interval '1 minute'");

        await _registry.MarkNewLinksAsync();

        Assert.False(await _registry.IsStaleAsync("team/one"));
    }

    [Fact]
    public async Task WhatIsMarkedWhileItIsCounted_StaysStale()
    {
        await _registry.PushImageOfAsync("team/one", "latest", "{}", "a layer");
        await _registry.FollowAsync();
        var pause = _registry.Pauses.Before("UPDATE repository_statistics SET size");
        var counting = _registry.Get<RepositoryCounting>().CountNextAsync(default);
        await pause.Reached;

        // Neither waits for the other.
        await _registry.PushImageOfAsync("team/one", "newer", "{}", "another layer");
        await _registry.FollowAsync();
        pause.Release();

        Assert.True(await counting);
        Assert.True(await _registry.IsStaleAsync("team/one"));
        Assert.False(await _registry.Get<RepositoryCounting>().CountNextAsync(default));
        Assert.Equal(1, await _registry.CountAsync());
        Assert.EndsWith(" 2 2", await _registry.StatisticsAsync("team/one"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Count_OfANodeThatLostItsClaim_IsDropped()
    {
        await _registry.PushImageOfAsync("team/one", "latest", "{}", "a layer");
        await _registry.FollowAsync();
        var pause = _registry.Pauses.Before("UPDATE repository_statistics SET size");
        var slow = _registry.Get<RepositoryCounting>().CountNextAsync(default);
        await pause.Reached;
        Assert.False(await _registry.Get<RepositoryCounting>().CountNextAsync(default));

        await _registry.PushImageOfAsync("team/one", "newer", "{}", "another layer");
        Assert.Equal(1, await _registry.CountAsync());
        pause.Release();
        await slow;

        Assert.EndsWith(" 2 2", await _registry.StatisticsAsync("team/one"), StringComparison.Ordinal);
        Assert.False(await _registry.IsStaleAsync("team/one"));
    }

    [Fact]
    public async Task Counting_GoesOnPageByPage()
    {
        await _registry.PushImageOfAsync("team/one", "latest", "{}", "a layer");
        await _registry.ScalarAsync<object>(
            """
            WITH more AS (SELECT i, 'sha256:' || encode(sha256(convert_to('more ' || i, 'UTF8')), 'hex') AS digest FROM generate_series(1, 2500) i),
            blobs AS (INSERT INTO blobs (digest, size, location) SELECT digest, 10, 'blobs/' || i FROM more RETURNING digest),
            links AS (INSERT INTO blob_links (repository_id, digest) SELECT 1, digest FROM blobs),
            manifests AS (INSERT INTO manifests (repository_id, digest, media_type, payload) SELECT 1, digest, 'm', 'four' FROM more RETURNING digest)
            INSERT INTO tags (repository_id, name, manifest_digest) SELECT 1, 'more' || i, digest FROM more
            """);

        await _registry.CountAsync();

        var size = 2 + 7 + Browsing.ImageOf("{}", "a layer").Length + 2500 * (10 + 4);
        Assert.Equal($"{size} {size} 25000 2501 2501", await _registry.StatisticsAsync("team/one"));
    }

    [Fact]
    public async Task Facts_AreMadeOnce_OfWhatTheConfigOrTheIndexSays()
    {
        var arm = await _registry.PushImageOfAsync("team/app", null, Browsing.Config("linux", "arm64", "v8"), "a layer");
        var amd = await _registry.PushImageOfAsync("team/app", "amd", Browsing.Config("linux", "amd64"), "a layer");
        var index = await _registry.PushManifestAsync("team/app", "latest",
            $$$"""
            {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[
              {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{arm}}}","size":1,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}},
              {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{amd}}}","size":1,"platform":{"os":"linux","architecture":"amd64"}}]}
            """, MediaTypes.OciIndex);
        await _registry.FollowAsync();

        Assert.Equal(3, await _registry.Get<ManifestFacts>().MakeDueAsync(default));
        Assert.Equal(0, await _registry.Get<ManifestFacts>().MakeDueAsync(default));

        Assert.Equal("linux/arm64/v8", await FactAsync(arm, "array_to_string(platforms, ' ')"));
        Assert.Equal("linux/arm64/v8 linux/amd64", await FactAsync(index, "array_to_string(platforms, ' ')"));
        Assert.Equal("2026-01-02", await FactAsync(amd, "image_created::date::text"));
        // The layer that both have counts once.
        var whole = await _registry.ScalarAsync<long>(
            "SELECT ((SELECT sum(size) FROM blobs) + (SELECT sum(octet_length(payload)) FROM manifests))::bigint");
        Assert.Equal($"{whole}", await FactAsync(index, "size::text"));
        Assert.Equal("", await FactAsync(index, "coalesce(due_at::text, '')"));
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("[]")]
    [InlineData("""{"os":"lin\u0000ux","architecture":"amd64"}""")]
    [InlineData("""{"os":"\ud800","architecture":"amd64"}""")]
    [InlineData("""{"os":{},"architecture":7,"created":"yesterday","history":3,"config":[]}""")]
    [InlineData("""{"os":"<script>","architecture":"a/b","created":"0001-01-01T00:00:00Z"}""")]
    public async Task Facts_OfAHostileConfig_AreTheSizeAlone(string config)
    {
        var image = await _registry.PushImageOfAsync("team/app", "latest", config, "a layer");
        await _registry.FollowAsync();
        await _registry.Get<ManifestFacts>().MakeDueAsync(default);

        Assert.Equal(" / ", await FactAsync(image, "concat(array_to_string(platforms, ','), ' / ', image_created)"));
        Assert.Equal($"{Encoding.UTF8.GetByteCount(config) + 7 + Browsing.ImageOf(config, "a layer").Length}", await FactAsync(image, "size::text"));
    }

    [Fact]
    public async Task Facts_OfWhatTodaysRulesRefuse_AreTheSizeAlone()
    {
        var image = await _registry.PushImageOfAsync("team/app", "latest", Browsing.Config("linux", "amd64"), "a layer");
        await _registry.FollowAsync();
        await _registry.ScalarAsync<object>("UPDATE manifests SET payload = 'broken'");
        await _registry.Get<ManifestFacts>().MakeDueAsync(default);

        Assert.Equal($"{Browsing.Config("linux", "amd64").Length + 7 + 6}", await FactAsync(image, "size::text"));
    }

    [Fact]
    public async Task Facts_OfAStoreThatDoesNotAnswer_AreTriedAgain()
    {
        var image = await _registry.PushImageOfAsync("team/app", "latest", Browsing.Config("linux", "amd64"), "a layer");
        await _registry.FollowAsync();
        var silent = new ManifestFacts(_registry.Contexts, new ConfigBlobs(new SilentStore()), NullLogger<ManifestFacts>.Instance);

        Assert.Equal(1, await silent.MakeDueAsync(default));
        Assert.Equal("true", await FactAsync(image, "(size IS NULL AND due_at > now())::text"));
        // A listing shows what is known all the same.
        var made = await silent.MakeAsync(1, [image.ToString()], default);
        Assert.Empty(made[image.ToString()].Platforms);
        Assert.NotEqual(0, made[image.ToString()].Size);

        await _registry.ScalarAsync<object>("UPDATE manifest_facts SET due_at = now()");
        await _registry.Get<ManifestFacts>().MakeDueAsync(default);
        Assert.Equal("linux/amd64", await FactAsync(image, "array_to_string(platforms, ' ')"));
    }

    private Task<string> FactAsync(Digest digest, string column) =>
        _registry.ScalarAsync<string>($"SELECT {column} FROM manifest_facts WHERE digest = $1", digest.ToString());

    /// <summary>As S3 that cannot be reached.</summary>
    private sealed class SilentStore : IBlobStore
    {
        public ValueTask<IBlobReader?> OpenAsync(BlobLocation location, BlobRange? expected, CancellationToken cancellationToken) => throw new IOException("no answer");

        public ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DeleteAsync(BlobLocation location, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<StoredItem> ListAsync(byte shard, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<Guid> OwnerAsync(Guid asking, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<Uri?> RedirectAsync(BlobLocation location, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask ProbeAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
