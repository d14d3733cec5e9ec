using Gantry.Core.Browse;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Browse;

[Trait("Speed", "Slow")]
public sealed class TagListingTests : IAsyncLifetime
{
    private static readonly RepositoryName Repository = RepositoryName.Parse("team/app");
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Row_TellsWhatTheTagNames_AndFactsThatWereNotMadeYetAreMade()
    {
        var image = await _registry.PushImageOfAsync("team/app", "latest", Browsing.Config("linux", "amd64"), "a layer");
        await _registry.FindManifestAsync("team/app", "latest");
        await _registry.Get<Gantry.Core.Pull.PullCounts>().WriteAsync(default);

        var row = Assert.Single((await PageAsync(new TagQuery()))!.Items);

        var config = Browsing.Config("linux", "amd64");
        Assert.Equal((image, MediaTypes.OciManifest, (long?)(config.Length + 7 + Browsing.ImageOf(config, "a layer").Length)), (row.Digest, row.MediaType, row.Size));
        Assert.Equal(["linux/amd64"], row.Platforms);
        Assert.Equal((2026, 1, true), (row.ImageCreated!.Value.Year, row.Pulls, row.PulledAt > row.PushedAt));
        Assert.Equal("1", await _registry.ScalarAsync<string>("SELECT count(*)::text FROM manifest_facts WHERE size IS NOT NULL AND due_at IS NULL"));
    }

    [Fact]
    public async Task TagsOfWhatIsHidden_AreNotShown_AndComeBackWithIt()
    {
        var image = await _registry.PushImageAsync("team/app", "latest", "a layer");
        await _registry.PushImageAsync("team/app", "other", "another layer");
        await _registry.FollowAsync();
        await _registry.DeleteManifestAsync("team/app", image);
        foreach (var sort in Enum.GetValues<TagSort>()) Assert.Equal(["other"], await AllAsync(new TagQuery(sort), 10));

        await _registry.RestoreManifestAsync("team/app", image);
        await _registry.FollowAsync();
        foreach (var sort in Enum.GetValues<TagSort>()) Assert.Equal(["latest", "other"], (await AllAsync(new TagQuery(sort), 10)).Order());
    }

    /// <summary>Whoever comes first, the facts of a manifest or the row of its tag; and a tag that moves takes the size of what it names now.</summary>
    [Fact]
    public async Task Sizes_AreInTheOrderOfTheirListing_FromTheirFactsOn()
    {
        await _registry.PushImageAsync("team/app", "small", "a");
        await _registry.PushImageAsync("team/app", "large", new string('l', 5000));
        await _registry.FollowAsync();
        Assert.Equal(["large", "small"], await AllAsync(new TagQuery(TagSort.Size), 10));
        await _registry.Get<ManifestFacts>().MakeDueAsync(default);
        Assert.Equal(["small", "large"], await AllAsync(new TagQuery(TagSort.Size), 10));

        // Nothing is due: these are made by the listing, before the follower knows of the tag.
        await _registry.PushImageAsync("team/app", "middle", new string('m', 1000));
        Assert.NotNull((await _registry.Get<TagListing>().FindAsync(Repository, TagName.Parse("middle"), default))!.Size);
        await _registry.FollowAsync();
        Assert.Equal(["large", "middle", "small"], await AllAsync(new TagQuery(TagSort.Size, Descending: true), 1));

        await _registry.PushImageAsync("team/app", "large", "a");
        await _registry.FollowAsync();
        Assert.Equal(["middle", "small", "large"], await AllAsync(new TagQuery(TagSort.Size, Descending: true), 1));
        Assert.Equal(["middle"], await AllAsync(new TagQuery(TagSort.Size, Filter: "idd"), 1));
    }

    /// <summary>However many names do not match: so many are looked at, and the place of the last says where to go on.</summary>
    [Theory]
    [InlineData(TagSort.Name)]
    [InlineData(TagSort.Pushed)]
    [InlineData(TagSort.Pulled)]
    [InlineData(TagSort.Size)]
    public async Task Filter_LooksAtSoManyNamesAPage_AndGoesOn(TagSort sort)
    {
        await _registry.FillWithTagsAsync(TagListing.Look * 2 + 10);
        var last = $"t{TagListing.Look * 2 + 1}";
        var pages = 0;
        var (found, after) = (new List<string>(), (string?)null);
        do
        {
            var page = (await PageAsync(new TagQuery(sort, Filter: last), after))!;
            found.AddRange(page.Items.Select(item => item.Name.ToString()));
            after = page.Next;
            pages++;
        }
        while (after is not null);

        Assert.Equal([last], found);
        Assert.Equal(3, pages);
    }

    [Fact]
    public async Task Repository_ThatIsNone_HasNoPage() =>
        Assert.Null(await _registry.Get<TagListing>().PageAsync(RepositoryName.Parse("team/none"), new TagQuery(), null, 10, default));

    [Fact]
    public async Task History_TellsEachMove_AndWhatCanBeRestored()
    {
        var one = await _registry.PushImageAsync("team/app", "latest", "one");
        var two = await _registry.PushImageAsync("team/app", "latest", "two");
        await _registry.DeleteTagAsync("team/app", "latest");
        await _registry.PushImageAsync("team/app", "latest", "two");
        await _registry.DeleteManifestAsync("team/app", one);

        var moves = await HistoryAsync(null, 10);

        Assert.Equal([(null, two), (two, null), (one, two), (null, one)], moves.Select(move => (move.From, move.To)));
        Assert.Equal([true, false, true, false], moves.Select(move => move.IsThere));
        Assert.Equal([true, false, true, true], moves.Select(move => move.CanRestore));
        Assert.Equal([false, false, false, true], moves.Select(move => move.Until is not null));

        // A page ends where it is told to, and still knows where its last move came from.
        Assert.Equal([(two, null), (one, two)], (await HistoryAsync(moves[0].Id, 2)).Select(move => (move.From, move.To)));

        await _registry.AgeAsync();
        Assert.False((await HistoryAsync(moves[2].Id, 1))[0].CanRestore);
    }

    private async Task<IReadOnlyList<TagMove>> HistoryAsync(long? before, int limit) =>
        (await _registry.Get<TagHistory>().PageAsync(Repository, TagName.Parse("latest"), before, limit, default))!;

    private Task<List<string>> AllAsync(TagQuery query, int limit) => _registry.AllTagsAsync(Repository, query, limit);

    private Task<Listed<TagInfo>?> PageAsync(TagQuery query, string? after = null, int limit = 100) =>
        _registry.Get<TagListing>().PageAsync(Repository, query, after, limit, default);
}
