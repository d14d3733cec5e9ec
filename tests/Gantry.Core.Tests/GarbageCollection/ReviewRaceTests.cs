using Gantry.Core.GarbageCollection;
using Gantry.Core.Pull;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.GarbageCollection;

/// <summary>
/// Every race of the README's section on garbage collection, both ways: one flow stops with its locks, the other runs into
/// them, and whichever was first, nothing that somebody relies on is gone.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class ReviewRaceTests : IAsyncLifetime
{
    private static readonly Digest Layer = Digest.Of("layer"u8);
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    private Task<Reviewed> ReviewManifests() => _registry.Get<ManifestReview>().ReviewAsync(100, default);

    private Task<Reviewed> ReviewLinks() => _registry.Get<LinkReview>().ReviewAsync(100, default);

    private Task<Reviewed> ReviewBlobs() => _registry.Get<BlobReview>().ReviewAsync(100, default);

    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task ManifestPush_BeforeTheReviewOfItsLinks_KeepsThem()
    {
        await OldBlobsAsync();
        var pause = _registry.Pauses.Before("INSERT INTO manifests");
        var push = _registry.PushManifestAsync("app", "v1", CollectedRegistry.Image("layer"));
        await pause.Reached;

        Assert.Equal(0, (await ReviewLinks()).Looked);
        pause.Release();
        await push;

        await _registry.ReviewAsync();
        Assert.Equal("1 2 2", await _registry.RowsAsync());
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("app", Layer));
    }

    [Theory]
    [Trait("Protocol", "D2.34")]
    [InlineData("WITH asked AS")]
    [InlineData("DELETE FROM blob_links")]
    public async Task ManifestPush_AfterTheReviewOfItsLinksBegan_IsToldWhatIsMissing(string where)
    {
        await OldBlobsAsync();
        var pause = _registry.Pauses.Before(where);
        var review = ReviewLinks();
        await pause.Reached;

        var push = _registry.PushManifestAsync("app", "v1", CollectedRegistry.Image("layer"));
        await _registry.WaitersAsync(1);
        pause.Release();

        Assert.Equal(2, (await review).Gone);
        Assert.Equal(OciErrorCode.ManifestBlobUnknown, (await Assert.ThrowsAsync<OciException>(() => push)).Code);
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    /// <summary>The reference commits while the review is on its way to its lock: only a later statement can see it.</summary>
    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task ManifestPush_WhileTheReviewGetsItsLocks_IsSeen()
    {
        await OldBlobsAsync();
        var pause = _registry.Pauses.Before("FROM blob_links WHERE suspect_since");
        var review = ReviewLinks();
        await pause.Reached;
        await _registry.PushManifestAsync("app", "v1", CollectedRegistry.Image("layer"));
        pause.Release();

        Assert.Equal(new Reviewed(2, 2, 0), await review);
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("app", Layer));
    }

    [Fact]
    public async Task Mount_BeforeTheReviewOfItsSource_KeepsTheBlob()
    {
        await _registry.PushBlobAsync("source", "layer");
        await _registry.AgeAsync();
        var pause = _registry.Pauses.Before("INSERT INTO blob_links");
        var mount = _registry.MountAsync("target", Layer, "source");
        await pause.Reached;

        await _registry.ReviewAsync();
        Assert.Equal("0 1 1", await _registry.RowsAsync());
        pause.Release();

        Assert.True(await mount);
        await _registry.ReviewAsync();
        Assert.Equal("0 1 1", await _registry.RowsAsync());
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("target", Layer));
    }

    [Fact]
    public async Task Mount_AfterTheReviewOfItsSourceBegan_FindsNothing()
    {
        await _registry.PushBlobAsync("source", "layer");
        await _registry.AgeAsync();
        var pause = _registry.Pauses.Before("DELETE FROM blob_links");
        var review = ReviewLinks();
        await pause.Reached;
        var mount = _registry.MountAsync("target", Layer, "source");
        await _registry.WaitersAsync(1);
        pause.Release();
        await review;

        Assert.False(await mount);
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task Head_AfterTheReviewBegan_FindsNothing_AndBeforeIt_KeepsTheBlob()
    {
        await OldBlobsAsync();
        var pause = _registry.Pauses.Before("DELETE FROM blob_links");
        var review = ReviewLinks();
        await pause.Reached;
        var head = _registry.Get<BlobPull>().FindAsync(RepositoryName.Parse("app"), Layer, renew: true, default);
        await _registry.WaitersAsync(1);
        pause.Release();
        await review;
        Assert.Null(await head);

        await OldBlobsAsync();
        pause = _registry.Pauses.Before("FROM blob_links WHERE suspect_since");
        review = ReviewLinks();
        await pause.Reached;
        Assert.NotNull(await _registry.Get<BlobPull>().FindAsync(RepositoryName.Parse("app"), Layer, renew: true, default));
        pause.Release();
        Assert.Equal(new Reviewed(2, 2, 1), await review);
        Assert.NotNull(await _registry.ReadBlobAsync("app", Layer));
    }

    [Fact]
    public async Task Close_BeforeTheReviewOfTheBlob_KeepsIt()
    {
        await BlobWithoutLinksAsync();
        var pause = _registry.Pauses.Before("INSERT INTO blob_links");
        var push = _registry.PushBlobAsync("other", "layer");
        await pause.Reached;

        Assert.Equal(0, (await ReviewBlobs()).Looked);
        pause.Release();
        await push;

        Assert.Equal(new Reviewed(1, 1, 0), await ReviewBlobs());
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("other", Layer));
        Assert.Single(_registry.Files());
    }

    [Fact]
    public async Task Close_AfterTheReviewOfTheBlobBegan_HasItsOwnCopy()
    {
        await BlobWithoutLinksAsync();
        var pause = _registry.Pauses.Before("DELETE FROM blobs");
        var review = ReviewBlobs();
        await pause.Reached;
        var push = _registry.PushBlobAsync("other", "layer");
        await _registry.WaitersAsync(1);
        pause.Release();

        Assert.Equal(1, (await review).Gone);
        await push;
        await _registry.Get<DoomedLocations>().SweepAsync(500, default);
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("other", Layer));
        Assert.Single(_registry.Files());
    }

    /// <summary>The close has the blob's row and wants the link's; the review has the link's and must not wait for the blob's.</summary>
    [Fact]
    public async Task Close_BeforeTheReviewOfItsLink_NeitherWaitsForTheOther()
    {
        await _registry.PushBlobAsync("app", "layer");
        await _registry.AgeAsync();
        var closing = _registry.Pauses.Before("INSERT INTO blob_links");
        var push = _registry.PushBlobAsync("app", "layer");
        await closing.Reached;

        var review = await ReviewLinks();
        Assert.Equal(new Reviewed(1, 0, 0), review);
        Assert.False(review.GoOn);
        closing.Release();
        await push;
        await _registry.ReviewAsync();
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("app", Layer));
    }

    [Fact]
    public async Task LinkReview_BeforeTheBlobReview_IsNotForgotten()
    {
        // Two links: the first is gone, so the blob is suspect; the second goes while the blob is looked at.
        foreach (var repository in (string[])["a", "b"]) await _registry.PushBlobAsync(repository, "layer");
        await _registry.AgeAsync();
        await _registry.Get<LinkReview>().ReviewAsync(1, default);
        var pause = _registry.Pauses.BeforeCommit();
        var links = ReviewLinks();
        await pause.Reached;
        Assert.Equal(0, (await ReviewBlobs()).Looked);
        pause.Release();
        await links;

        Assert.Equal(1, (await ReviewBlobs()).Gone);
    }

    [Fact]
    public async Task BlobReview_BeforeTheLinkReview_IsFollowedByAnother()
    {
        foreach (var repository in (string[])["a", "b"]) await _registry.PushBlobAsync(repository, "layer");
        await _registry.AgeAsync();
        await _registry.Get<LinkReview>().ReviewAsync(1, default);
        var pause = _registry.Pauses.BeforeCommit();
        var blobs = ReviewBlobs();
        await pause.Reached;
        Assert.Equal(new Reviewed(1, 0, 0), await ReviewLinks());
        pause.Release();
        Assert.Equal(new Reviewed(1, 1, 0), await blobs);

        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    /// <summary>The link's review still saw the reference and releases the link; the manifest's must make it suspect after that.</summary>
    [Fact]
    public async Task ManifestReview_WhileALinkOfItIsReleased_MakesItSuspectAgain()
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.DeleteManifestAsync("app", image);
        await _registry.AgeAsync();
        var pause = _registry.Pauses.BeforeCommit();
        var links = ReviewLinks();
        await pause.Reached;
        var manifests = ReviewManifests();
        await _registry.WaitersAsync(1);
        pause.Release();

        Assert.Equal(new Reviewed(2, 2, 0), await links);
        Assert.Equal(1, (await manifests).Gone);
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    public async Task LinkReview_WhileItsManifestIsRemoved_LeavesTheLinkToTheNextRun()
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.DeleteManifestAsync("app", image);
        await _registry.AgeAsync();
        var pause = _registry.Pauses.BeforeCommit();
        var manifests = ReviewManifests();
        await pause.Reached;
        Assert.Equal(0, (await ReviewLinks()).Looked);
        pause.Release();
        await manifests;

        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    public async Task ParentReview_WhileItsChildIsReleased_MakesItSuspectAgain()
    {
        var child = await _registry.PushImageAsync("app", null, "layer");
        var index = await _registry.PushIndexAsync("app", "v1", child);
        await _registry.DeleteManifestAsync("app", index);
        await _registry.DeleteManifestAsync("app", child);
        await _registry.AgeAsync();
        await _registry.ScalarAsync<object>("UPDATE manifests SET suspect_since = suspect_since + interval '3 days' WHERE digest = $1", index.ToString());
        var pause = _registry.Pauses.BeforeCommit();
        var first = ReviewManifests();
        await pause.Reached;
        await _registry.ScalarAsync<object>("UPDATE manifests SET suspect_since = deleted_at WHERE digest = $1", index.ToString());
        var second = ReviewManifests();
        await _registry.WaitersAsync(1);
        pause.Release();

        Assert.Equal(new Reviewed(1, 1, 0), await first);
        Assert.Equal(1, (await second).Gone);
        await _registry.ReviewAsync();
        Assert.Equal("0 0 0", await _registry.RowsAsync());
    }

    [Fact]
    public async Task TagPush_BeforeTheReviewOfItsHiddenManifest_KeepsIt()
    {
        var image = await _registry.PushImageAsync("app", null, "layer");
        await _registry.DeleteManifestAsync("app", image);
        await _registry.AgeAsync();
        var pause = _registry.Pauses.Before("INSERT INTO tags");
        var push = _registry.PushManifestAsync("app", "v1", CollectedRegistry.Image("layer"));
        await pause.Reached;
        await _registry.ReviewAsync();
        pause.Release();
        await push;

        await _registry.ReviewAsync();
        Assert.Equal("1 2 2", await _registry.RowsAsync());
        Assert.NotNull(await _registry.FindManifestAsync("app", "v1"));
    }

    [Theory]
    [InlineData("SELECT m.repository_id")]
    [InlineData("UPDATE blob_links")]
    [InlineData("DELETE FROM manifests")]
    public async Task TagPush_AfterTheReviewOfItsHiddenManifestBegan_MakesItAnew(string where)
    {
        var image = await _registry.PushImageAsync("app", null, "layer");
        await _registry.DeleteManifestAsync("app", image);
        await _registry.AgeAsync();
        var pause = _registry.Pauses.Before(where);
        var review = ReviewManifests();
        await pause.Reached;
        var push = _registry.PushManifestAsync("app", "v1", CollectedRegistry.Image("layer"));
        await _registry.WaitersAsync(1);
        pause.Release();

        Assert.Equal(1, (await review).Gone);
        await push;
        await _registry.ReviewAsync();
        Assert.Equal("1 2 2", await _registry.RowsAsync());
        Assert.NotNull(await _registry.FindManifestAsync("app", "v1"));
    }

    [Theory]
    [InlineData("SELECT FROM blob_links")]
    [InlineData("COMMIT")]
    public async Task Restore_BeforeTheReview_BringsTheManifestBackWhole(string where)
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.DeleteManifestAsync("app", image);
        var pause = _registry.Pauses.Before(where);
        var restore = _registry.RestoreManifestAsync("app", image);
        await pause.Reached;
        // Their graces differ, so that the manifest may be restored and is due: the last instant of a grace, held still.
        var (manifests, links) = (Due(options => new ManifestReview(_registry.Contexts, options)), Due(options => new LinkReview(_registry.Contexts, options)));
        Assert.Equal(0, (await manifests.ReviewAsync(100, default)).Looked);
        pause.Release();

        Assert.NotNull(await restore);
        await manifests.ReviewAsync(100, default);
        Assert.Equal(0, (await links.ReviewAsync(100, default)).Gone);
        Assert.Equal("1 2 2", await _registry.RowsAsync());
        Assert.NotNull(await _registry.FindManifestAsync("app", "v1"));
    }

    [Fact]
    public async Task Restore_AfterTheReviewBegan_HasNothingToRestore()
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.DeleteManifestAsync("app", image);
        await _registry.AgeAsync();
        var pause = _registry.Pauses.Before("DELETE FROM manifests");
        var review = ReviewManifests();
        await pause.Reached;
        var restore = _registry.RestoreManifestAsync("app", image);
        await _registry.WaitersAsync(1);
        pause.Release();

        await review;
        Assert.Null(await restore);
    }

    /// <summary>The manifest is hidden, so nothing forbids the deletion of its blob; the restore must not miss it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Restore_RacingTheDeleteOfItsBlob_NeverHasAManifestWithoutIt(bool restoreFirst)
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.DeleteManifestAsync("app", image);
        var pause = _registry.Pauses.BeforeCommit();
        Task delete, restore;
        if (restoreFirst)
        {
            restore = _registry.RestoreManifestAsync("app", image);
            await pause.Reached;
            delete = _registry.DeleteBlobAsync("app", Layer);
        }
        else
        {
            delete = _registry.DeleteBlobAsync("app", Layer);
            await pause.Reached;
            restore = _registry.RestoreManifestAsync("app", image);
        }

        await _registry.WaitersAsync(1);
        pause.Release();
        await restore;
        if (restoreFirst) Assert.Equal(OciErrorCode.Denied, (await Assert.ThrowsAsync<OciException>(() => delete)).Code);
        else await delete;
        Assert.NotNull(await _registry.FindManifestAsync("app", "v1"));
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("app", Layer));
    }

    [Fact]
    public async Task Restore_BesideAPushOfTheSameManifest_BothEndWithoutADeadlock()
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.DeleteManifestAsync("app", image);
        var pause = _registry.Pauses.Before("INSERT INTO manifests");
        var push = _registry.PushManifestAsync("app", "v2", CollectedRegistry.Image("layer"));
        await pause.Reached;

        Assert.NotNull(await _registry.RestoreManifestAsync("app", image));
        pause.Release();
        await push;
        foreach (var tag in (string[])["v1", "v2"]) Assert.NotNull(await _registry.FindManifestAsync("app", tag));
    }

    /// <summary>A config and a layer that no manifest names yet, past their grace.</summary>
    private async Task OldBlobsAsync()
    {
        await _registry.PushBlobAsync("app", RegistryClient.EmptyConfig);
        await _registry.PushBlobAsync("app", "layer");
        await _registry.AgeAsync();
    }

    private async Task BlobWithoutLinksAsync()
    {
        await _registry.PushBlobAsync("app", "layer");
        await _registry.AgeAsync();
        Assert.Equal(1, (await ReviewLinks()).Gone);
    }

    private static T Due<T>(Func<IOptions<GcOptions>, T> make) => make(Options.Create(new GcOptions { Grace = TimeSpan.Zero }));
}
