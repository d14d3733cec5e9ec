using Gantry.Core.Browse;
using Gantry.Core.Tests.GarbageCollection;

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
}
