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

    public static TheoryData<TagSort, bool, int> Orders()
    {
        var orders = new TheoryData<TagSort, bool, int>();
        foreach (var sort in Enum.GetValues<TagSort>())
        {
            foreach (var limit in new[] { 1, 7, 1000 })
            {
                orders.Add(sort, false, limit);
                orders.Add(sort, true, limit);
            }
        }

        return orders;
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Pages_TogetherAreAll_InOrder(TagSort sort, bool descending, int limit)
    {
        await FillAsync(40);
        var key = sort switch { TagSort.Pushed => "t.updated_at", TagSort.Pulled => "p.pulled_at", _ => "t.name" };
        var way = descending ? "DESC" : "ASC";
        foreach (var filter in new[] { "", "T1" })
        {
            var expected = await _registry.ScalarAsync<string>(
                $"""
                 SELECT string_agg(t.name, ' ' ORDER BY {key} {way}, t.name {way}) FROM tags t JOIN tag_pulls p USING (repository_id, name)
                 WHERE strpos(t.name, lower('{filter}')) > 0
                 """);
            Assert.Equal(expected, string.Join(' ', await AllAsync(new TagQuery(sort, descending, filter), limit)));
        }
    }

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

    /// <summary>However many names do not match: so many are looked at, and the place of the last says where to go on.</summary>
    [Theory]
    [InlineData(TagSort.Name)]
    [InlineData(TagSort.Pushed)]
    [InlineData(TagSort.Pulled)]
    public async Task Filter_LooksAtSoManyNamesAPage_AndGoesOn(TagSort sort)
    {
        await FillAsync(TagListing.Look * 2 + 10);
        var pages = 0;
        var (found, after) = (new List<string>(), (string?)null);
        do
        {
            var page = (await PageAsync(new TagQuery(sort, Filter: "t40001"), after))!;
            found.AddRange(page.Items.Select(item => item.Name.ToString()));
            after = page.Next;
            pages++;
        }
        while (after is not null);

        Assert.Equal(["t40001"], found);
        Assert.Equal(3, pages);
    }

    [Theory]
    [InlineData(TagSort.Name, "12:tag")]
    [InlineData(TagSort.Name, "no tag")]
    [InlineData(TagSort.Pushed, "tag")]
    [InlineData(TagSort.Pushed, "-1:tag")]
    [InlineData(TagSort.Pushed, "9223372036854775807:tag")]
    [InlineData(TagSort.Pulled, ":tag")]
    [InlineData(TagSort.Pulled, "1:")]
    public async Task Place_ThatIsNone_IsRefused(TagSort sort, string place)
    {
        await _registry.PushImageAsync("team/app", "latest", "a layer");
        Assert.Equal(400, (await Assert.ThrowsAsync<OciException>(() => PageAsync(new TagQuery(sort), place))).Status);
    }

    [Theory]
    [InlineData("a test", "")]
    [InlineData("\0", "")]
    [InlineData("%", "")]
    [InlineData("te_t", "")]
    [InlineData("A_TE", "a_test")]
    public async Task Filter_IsAPartOfTheName_AndNothingElse(string filter, string expected)
    {
        await _registry.PushImageAsync("team/app", "a_test", "a layer");
        Assert.Equal(expected, string.Join(' ', await AllAsync(new TagQuery(Filter: filter), 10)));
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

    /// <summary>Every third is pulled, at times of which some are the same.</summary>
    private async Task FillAsync(int tags)
    {
        await _registry.PushImageAsync("team/app", null, "a layer");
        await _registry.ScalarAsync<object>(
            $"""
             INSERT INTO tags (repository_id, name, manifest_digest, updated_at)
             SELECT 1, 't' || i, m.digest, now() - (i % 13) * interval '1 minute' FROM manifests m, generate_series(1, {tags}) i
             """);
        await _registry.ScalarAsync<object>(
            """
            INSERT INTO tag_pulls (repository_id, name, pulled_at, pulls)
            SELECT 1, name, CASE WHEN length(name) % 3 = 0 THEN '-infinity' ELSE now() - length(name) * interval '1 hour' END, 1 FROM tags
            """);
    }

    private async Task<List<string>> AllAsync(TagQuery query, int limit)
    {
        var (names, after) = (new List<string>(), (string?)null);
        do
        {
            var page = (await PageAsync(query, after, limit))!;
            Assert.True(page.Items.Count <= limit);
            names.AddRange(page.Items.Select(item => item.Name.ToString()));
            after = page.Next;
        }
        while (after is not null);
        return names;
    }

    private Task<Listed<TagInfo>?> PageAsync(TagQuery query, string? after = null, int limit = 100) =>
        _registry.Get<TagListing>().PageAsync(Repository, query, after, limit, default);
}
