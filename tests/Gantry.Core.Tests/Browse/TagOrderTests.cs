using Gantry.Core.Browse;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Browse;

/// <summary>A repository of 41 tags, that nobody changes.</summary>
public sealed class ListedTags : IAsyncLifetime
{
    public static readonly RepositoryName Repository = RepositoryName.Parse("team/app");

    internal CollectedRegistry Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Registry = await CollectedRegistry.CreateAsync();
        await Registry.PushImageAsync("team/app", "a_test", "a layer");
        await Registry.FillWithTagsAsync(40);
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();
}

[Trait("Speed", "Slow")]
public sealed class TagOrderTests(ListedTags listed) : IClassFixture<ListedTags>
{
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
        var key = sort switch { TagSort.Pushed => "t.updated_at", TagSort.Pulled => "p.pulled_at", TagSort.Size => "p.size", _ => "t.name" };
        var way = descending ? "DESC" : "ASC";
        foreach (var filter in new[] { "", "T1" })
        {
            var expected = await listed.Registry.ScalarAsync<string>(
                $"""
                 SELECT string_agg(t.name, ' ' ORDER BY {key} {way}, t.name {way}) FROM tags t JOIN tag_pulls p USING (repository_id, name)
                 WHERE strpos(t.name, lower('{filter}')) > 0
                 """);
            Assert.Equal(expected, string.Join(' ', await listed.Registry.AllTagsAsync(ListedTags.Repository, new TagQuery(sort, descending, filter), limit)));
        }
    }

    [Theory]
    [InlineData(TagSort.Name, "12:tag")]
    [InlineData(TagSort.Name, "no tag")]
    [InlineData(TagSort.Pushed, "tag")]
    [InlineData(TagSort.Pushed, "-1:tag")]
    [InlineData(TagSort.Pushed, "9223372036854775807:tag")]
    [InlineData(TagSort.Pulled, ":tag")]
    [InlineData(TagSort.Pulled, "1:")]
    [InlineData(TagSort.Size, "tag")]
    [InlineData(TagSort.Size, "-1:tag")]
    [InlineData(TagSort.Size, "9223372036854775808:tag")]
    public async Task Place_ThatIsNone_IsRefused(TagSort sort, string place)
    {
        var refusal = await Assert.ThrowsAsync<OciException>(() =>
            listed.Registry.Get<TagListing>().PageAsync(ListedTags.Repository, new TagQuery(sort), place, 100, default));
        Assert.Equal(400, refusal.Status);
    }

    [Theory]
    [InlineData("a test", "")]
    [InlineData("\0", "")]
    [InlineData("%", "")]
    [InlineData("te_t", "")]
    [InlineData("A_TE", "a_test")]
    public async Task Filter_IsAPartOfTheName_AndNothingElse(string filter, string expected) =>
        Assert.Equal(expected, string.Join(' ', await listed.Registry.AllTagsAsync(ListedTags.Repository, new TagQuery(Filter: filter), 10)));
}
