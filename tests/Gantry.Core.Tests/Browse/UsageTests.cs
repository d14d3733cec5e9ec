using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Browse;

[Trait("Speed", "Slow")]
public sealed class UsageTests : IAsyncLifetime
{
    private static readonly RepositoryName One = RepositoryName.Parse("team/one");
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    /// <summary>What is said beforehand is what garbage collection then takes: of images that share layers within and across repositories.</summary>
    [Theory]
    [InlineData("base alone")]
    [InlineData("base app")]
    [InlineData("elsewhere")]
    [InlineData("waiting")]
    [InlineData("base twin")]
    public async Task Deletion_OfAManifest_FreesWhatItSaid(string layers)
    {
        var images = await FillAsync();
        var before = await BytesAsync();
        var freed = (await _registry.Get<DeletionPreview>().OfManifestAsync(One, images[layers], default))!;

        Assert.Null(freed.HeldBy);
        await _registry.DeleteManifestAsync("team/one", images[layers]);
        await CollectAsync();

        Assert.Equal(before - await BytesAsync(), freed.Bytes);
        Assert.Equal((1, 1), (freed.Manifests, freed.Tags));
    }

    [Fact]
    public async Task Deletion_OfAnIndex_LeavesItsImages_AndTellsWhatTheyWouldFree()
    {
        await FillAsync();
        var (one, two) = (await _registry.PushImageOfAsync("team/one", null, "{}", "base", "child one"), await _registry.PushImageOfAsync("team/one", "tagged", "{}", "child two"));
        var below = await _registry.PushIndexAsync("team/one", null, one);
        var index = await _registry.PushIndexAsync("team/one", "index", below, two);
        await CollectAsync();
        var before = await BytesAsync();

        var preview = _registry.Get<DeletionPreview>();
        Assert.Equal(index, (await preview.OfManifestAsync(One, two, default))!.HeldBy);
        var freed = (await preview.OfManifestAsync(One, index, default))!;
        Assert.Equal((1, 2), (freed.Manifests, freed.BelowManifests));

        await _registry.DeleteManifestAsync("team/one", index);
        await CollectAsync();
        var between = await BytesAsync();
        Assert.Equal(before - between, freed.Bytes);

        await _registry.DeleteManifestAsync("team/one", below);
        await _registry.DeleteManifestAsync("team/one", one);
        await CollectAsync();
        Assert.Equal(between - await BytesAsync(), freed.BelowBytes);
    }

    [Fact]
    public async Task Deletion_OfTheRepository_FreesWhatNoOtherNeeds()
    {
        var images = await FillAsync();
        var before = await BytesAsync();
        var freed = (await _registry.Get<DeletionPreview>().OfRepositoryAsync(One, default))!;

        foreach (var image in images.Values) await _registry.DeleteManifestAsync("team/one", image);
        await CollectAsync();

        Assert.Equal(before - await BytesAsync(), freed.Bytes);
        Assert.Equal((images.Count, images.Count), (freed.Manifests, freed.Tags));
    }

    [Fact]
    public async Task Deletion_OfATag_FreesNothing_UnlessARuleFollows()
    {
        var images = await FillAsync();
        Assert.Equal((0L, 1, null), await OfTagAsync(_registry, "t1"));
        Assert.Null(await _registry.Get<DeletionPreview>().OfTagAsync(One, TagName.Parse("none"), default));

        await using var ruled = await CollectedRegistry.CreateAsync("Gc:Retention:0:Repositories=team/*", "Gc:Retention:0:UntaggedAfter=1.00:00:00");
        var image = await ruled.PushImageOfAsync("team/one", "t1", "{}", "a layer");
        Assert.Equal((2 + 7 + Browsing.ImageOf("{}", "a layer").Length, 1, TimeSpan.FromDays(1)), await OfTagAsync(ruled, "t1"));
        await ruled.PushImageOfAsync("team/one", "t2", "{}", "a layer");
        Assert.Equal((0L, 1, null), await OfTagAsync(ruled, "t1"));
        Assert.NotEqual(image, images["base app"]);

        static async Task<(long, int, TimeSpan?)> OfTagAsync(CollectedRegistry registry, string tag)
        {
            var freed = (await registry.Get<DeletionPreview>().OfTagAsync(One, TagName.Parse(tag), default))!;
            return (freed.Bytes, freed.Tags, freed.After);
        }
    }

    [Fact]
    public async Task Repository_TellsOwnSharedAndReclaimable_AndWhatIsReclaimableGoes()
    {
        var images = await FillAsync();
        await _registry.DeleteManifestAsync("team/one", images["base alone"]);
        await _registry.DeleteManifestAsync("team/one", images["elsewhere"]);
        var usage = (await _registry.Get<Usage>().OfRepositoryAsync(One, default))!;
        var before = await BytesAsync();

        Assert.Equal(2 + "base".Length + "elsewhere".Length, usage.Shared);
        Assert.Equal(usage.Size, usage.Own + usage.Shared);
        await _registry.AgeAsync();
        await _registry.ReviewAsync();
        Assert.Equal(before - await BytesAsync(), usage.Reclaimable);

        Assert.Equal(0, (await _registry.Get<Usage>().OfRepositoryAsync(One, default))!.Reclaimable);
        Assert.Null(await _registry.Get<Usage>().OfRepositoryAsync(RepositoryName.Parse("team/none"), default));
    }

    [Fact]
    public async Task NamespacesAndTheStore_AreTheSumOfWhatWasCounted()
    {
        await FillAsync();
        await _registry.CountAsync();
        var (usage, name) = (_registry.Get<Usage>(), NamespaceName.Parse("team"));
        var one = (await usage.OfRepositoryAsync(One, default))!;
        var two = (await usage.OfRepositoryAsync(RepositoryName.Parse("team/two"), default))!;

        var sum = (await usage.OfNamespaceAsync(name, default))!;
        Assert.Equal((2, one.Size + two.Size, one.Own + two.Own, one.Tags + two.Tags, 0), (sum.Repositories, sum.Size, sum.Own, sum.Tags, sum.Uncounted));
        Assert.Equal([sum], await usage.PageAsync(null, 10, default));
        Assert.Empty(await usage.PageAsync("team", 10, default));
        Assert.Null(await usage.OfNamespaceAsync(NamespaceName.Parse("none"), default));

        Assert.Null((await usage.OfStoreAsync(default)).Sample);
        Assert.True(await _registry.Get<StorageSamples>().TakeAsync(default));
        var store = await usage.OfStoreAsync(default);
        Assert.Equal((sum.Size, sum.Manifests, await _registry.ScalarAsync<long>("SELECT sum(size)::bigint FROM blobs")), (store.Linked, store.Manifests, store.Sample!.Bytes));

        await _registry.PushImageAsync("team/one", "more", "more");
        await _registry.FollowAsync();
        Assert.Equal(1, (await usage.OfNamespaceAsync(name, default))!.Uncounted);
    }

    /// <summary>Images by their layers; another repository needs one of the layers, and has another one that nothing in it needs.</summary>
    private async Task<Dictionary<string, Digest>> FillAsync()
    {
        var images = new Dictionary<string, Digest>(StringComparer.Ordinal);
        foreach (var layers in new[] { "base alone", "base app", "elsewhere", "waiting", "base twin" })
            images[layers] = await _registry.PushImageOfAsync("team/one", $"t{images.Count}", "{}", layers.Split(' '));
        await _registry.PushImageOfAsync("team/two", "latest", "{}", "base", "elsewhere", "two's own");
        await _registry.PushBlobAsync("team/two", "waiting");
        await CollectAsync();
        return images;
    }

    /// <summary>Until nothing that could go is left.</summary>
    private async Task CollectAsync()
    {
        for (var round = 0; round < 3; round++)
        {
            await _registry.AgeAsync();
            await _registry.ReviewAsync();
        }
    }

    private Task<long> BytesAsync() => _registry.ScalarAsync<long>(
        "SELECT (SELECT coalesce(sum(size), 0) FROM blobs)::bigint + (SELECT coalesce(sum(octet_length(payload)), 0) FROM manifests)");
}
