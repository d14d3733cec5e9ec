using Gantry.Core.Pull;
using Gantry.Core.Removal;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Core.Tests.GarbageCollection;

/// <summary>Whatever a DELETE hid comes back as it was.</summary>
[Trait("Speed", "Slow")]
public sealed class RestoreTests : IAsyncLifetime
{
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Repository_RemovedWhileSomethingOfItIsPushedAgain_KeepsThat()
    {
        var first = await _registry.PushImageAsync("app", "v1", "layer");
        var second = await _registry.PushImageAsync("app", "v2", "other");
        var hiding = _registry.Pauses.Before("FOR UPDATE");
        var removal = Task.Run(() => _registry.Get<RepositoryRemoval>().RemoveAsync(RepositoryName.Parse("app"), CollectedRegistry.Nobody, default));
        await hiding.Reached;
        var asking = _registry.Pauses.Before("m.created_at <=");
        hiding.Release();
        await asking.Reached;
        Assert.Null(await _registry.FindManifestAsync("app", first.ToString()));
        await _registry.PushImageAsync("app", "v3", "layer");
        asking.Release();

        Assert.Equal(2, (await removal)!.Manifests);
        Assert.NotNull(await _registry.FindManifestAsync("app", "v3"));
        Assert.Null(await _registry.FindManifestAsync("app", second.ToString()));
    }

    [Fact]
    public async Task Manifest_ComesBackWithItsTags_ByteForByte()
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        await _registry.PushManifestAsync("app", "latest", CollectedRegistry.Image("layer"));
        var before = await _registry.FindManifestAsync("app", "v1");
        await _registry.DeleteManifestAsync("app", image);
        Assert.Null(await _registry.FindManifestAsync("app", image.ToString()));
        await _registry.AgeAsync(TimeSpan.FromHours(23));
        await _registry.ReviewAsync();

        var restored = await _registry.RestoreManifestAsync("app", image);

        Assert.Equal(["latest", "v1"], restored!.Tags.Select(tag => tag.ToString()));
        Assert.Equal([image], restored.Manifests);
        var after = await _registry.FindManifestAsync("app", "v1");
        Assert.Equal((before!.Digest, before.MediaType), (after!.Digest, after.MediaType));
        Assert.Equal(before.Payload, after.Payload);
        Assert.Equal("layer"u8.ToArray(), await _registry.ReadBlobAsync("app", Digest.Of("layer"u8)));
        Assert.Equal("manifest.restore latest v1", await _registry.ScalarAsync<string>("SELECT kind || ' ' || tag FROM events ORDER BY id DESC LIMIT 1"));
        Assert.Equal(image.ToString(), await _registry.ScalarAsync<string>("SELECT manifest_digest FROM tag_history WHERE name = 'latest' ORDER BY id DESC LIMIT 1"));

        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.Equal("1 2 2", await _registry.RowsAsync());
    }

    [Fact]
    public async Task Manifest_LeavesTagsThatPointElsewhereNow_AndThoseThatLeftItBefore()
    {
        var image = await _registry.PushImageAsync("app", "moved", "a");
        foreach (var tag in (string[])["taken", "free", "dropped"]) await _registry.PushManifestAsync("app", tag, CollectedRegistry.Image("a"));
        var other = await _registry.PushImageAsync("app", "moved", "b");
        await _registry.DeleteTagAsync("app", "dropped");
        await _registry.DeleteManifestAsync("app", image);
        await _registry.PushManifestAsync("app", "taken", CollectedRegistry.Image("b"));

        var restored = await _registry.RestoreManifestAsync("app", image);

        Assert.Equal(["free"], restored!.Tags.Select(tag => tag.ToString()));
        foreach (var tag in (string[])["moved", "taken"]) Assert.Equal(other, (await _registry.FindManifestAsync("app", tag))!.Digest);
        Assert.Null(await _registry.FindManifestAsync("app", "dropped"));
    }

    [Fact]
    public async Task Index_ComesBackWithItsHiddenChildrenAndBlobs()
    {
        var inner = await _registry.PushImageAsync("app", null, "a");
        var (nested, live) = (await _registry.PushIndexAsync("app", null, inner), await _registry.PushImageAsync("app", "live", "b"));
        var index = await _registry.PushIndexAsync("app", "v1", nested, live);
        foreach (var digest in new[] { index, nested, inner }) await _registry.DeleteManifestAsync("app", digest);
        await _registry.DeleteBlobAsync("app", Digest.Of("a"u8));
        await _registry.AgeAsync(TimeSpan.FromHours(23));
        await _registry.ReviewAsync();

        var restored = await _registry.RestoreManifestAsync("app", index);

        Assert.Equal(new[] { index, nested, inner }.ToHashSet(), restored!.Manifests.ToHashSet());
        Assert.Equal([Digest.Of("a"u8)], restored.Blobs);
        foreach (var digest in new[] { index, nested, inner, live }) Assert.NotNull(await _registry.FindManifestAsync("app", digest.ToString()));
        Assert.Equal("a"u8.ToArray(), await _registry.ReadBlobAsync("app", Digest.Of("a"u8)));
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.Equal("4 3 3", await _registry.RowsAsync());
    }

    [Fact]
    public async Task Tag_GoesBackToWhereItWas_WithItsManifest()
    {
        var (first, second) = (await _registry.PushImageAsync("app", "v1", "a"), await _registry.PushImageAsync("app", "v1", "b"));
        await _registry.DeleteTagAsync("app", "v1");
        Assert.Equal(["v1"], (await _registry.RestoreTagAsync("app", "v1"))!.Tags.Select(tag => tag.ToString()));
        Assert.Equal(second, (await _registry.FindManifestAsync("app", "v1"))!.Digest);

        await _registry.DeleteManifestAsync("app", second);
        var restored = await _registry.RestoreTagAsync("app", "v1");
        Assert.Equal([second], restored!.Manifests);
        Assert.Equal(second, (await _registry.FindManifestAsync("app", "v1"))!.Digest);
        Assert.NotNull(await _registry.FindManifestAsync("app", first.ToString()));

        // It exists, so there is nothing to restore.
        Assert.Null(await _registry.RestoreTagAsync("app", "v1"));
        Assert.Null(await _registry.RestoreTagAsync("app", "v2"));
    }

    [Fact]
    public async Task Blob_IsLinkedAgain_AndHasANewGrace()
    {
        var blob = await _registry.PushBlobAsync("app", "blob");
        await _registry.DeleteBlobAsync("app", blob);
        Assert.Null(await _registry.ReadBlobAsync("app", blob));
        await _registry.AgeAsync(TimeSpan.FromHours(23));

        Assert.Equal([blob], (await _registry.RestoreBlobAsync("app", blob))!.Blobs);

        await _registry.AgeAsync(TimeSpan.FromHours(2));
        await _registry.ReviewAsync();
        Assert.Equal("blob"u8.ToArray(), await _registry.ReadBlobAsync("app", blob));
        Assert.Null(await _registry.RestoreBlobAsync("app", blob));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AfterTheGrace_ThereIsNothingToRestore(bool reviewed)
    {
        var image = await _registry.PushImageAsync("app", "v1", "layer");
        var blob = await _registry.PushBlobAsync("app", "blob");
        await _registry.DeleteManifestAsync("app", image);
        await _registry.DeleteBlobAsync("app", blob);
        await _registry.AgeAsync();
        if (reviewed) await _registry.ReviewAsync();

        Assert.Null(await _registry.RestoreManifestAsync("app", image));
        Assert.Null(await _registry.RestoreTagAsync("app", "v1"));
        Assert.Null(await _registry.RestoreBlobAsync("app", blob));
        Assert.Null(await _registry.RestoreManifestAsync("nowhere", image));
    }
}
