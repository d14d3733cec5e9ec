using System.Net;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>The tags of a repository, in one answer or page by page.</summary>
[Trait("Protocol", "D3.52")]
public sealed class TagListTests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Fact]
    public async Task Get_RepositoryWithoutTags_IsAnEmptyArray()
    {
        var repository = registry.NewRepository();
        await Client.PushImageAsync(repository, null);

        Assert.Equal($$"""{"name":"{{repository}}","tags":[]}""", await Client.GetStringAsync($"/v2/{repository}/tags/list"));
    }

    [Fact]
    public async Task Get_UnknownRepository_IsNameUnknown()
    {
        using var get = await Client.GetAsync($"/v2/{registry.NewRepository()}/tags/list");
        await get.AssertErrorAsync(HttpStatusCode.NotFound, "NAME_UNKNOWN");
    }

    [Fact]
    public async Task Get_Page0_IsEmptyWithoutLink()
    {
        var repository = await WithTagsAsync("a", "b");

        using var get = await Client.GetAsync($"/v2/{repository}/tags/list?n=0");

        get.AssertStatus(HttpStatusCode.OK);
        Assert.Equal($$"""{"name":"{{repository}}","tags":[]}""", await get.Content.ReadAsStringAsync());
        Assert.Null(get.RawHeader("Link"));
    }

    [Theory]
    [Trait("Protocol", "D4.68")]
    [InlineData("n=-1")]
    [InlineData("n=1.5")]
    [InlineData("n=ten")]
    [InlineData("n=%201")]
    [InlineData("n=0x10")]
    [InlineData("last=a%00")]
    public async Task Get_WildParameters_AreBadRequests(string query)
    {
        var repository = await WithTagsAsync("a");
        foreach (var path in (string[])[$"/v2/{repository}/tags/list?{query}", $"/v2/_catalog?{query}"])
        {
            using var get = await Client.GetAsync(path);
            await get.AssertErrorAsync(HttpStatusCode.BadRequest, "UNSUPPORTED");
        }
    }

    /// <summary>Order is that of bytes: digits, capitals, underscore, small letters; a prefix before what it starts.</summary>
    [Fact]
    [Trait("Protocol", "D3.53")]
    public async Task Get_ListsPrefixesAndCapitalsInByteOrder()
    {
        string[] tags = ["1", "1.0", "1.0-rc.1", "1.0.0", "10", "A", "B", "_", "a", "a-b", "a.b", "aa", "ab", "b", new('z', 128)];
        var repository = await WithTagsAsync([.. tags.Reverse()]);

        var whole = await Client.FollowNamesAsync($"/v2/{repository}/tags/list", "tags");

        Assert.Equal(tags.Order(StringComparer.Ordinal), whole);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(5, 1)]
    [InlineData(6, 1)]
    [InlineData(int.MaxValue, 1)]
    public async Task Get_LinksFollowedToTheEnd_GiveTheWhole(int n, int expectedPages)
    {
        string[] tags = ["a", "a-b", "a.b", "ab", "b"];
        var repository = await WithTagsAsync(tags);

        var pages = await Client.FollowAsync($"/v2/{repository}/tags/list?n={n}", "tags");

        Assert.Equal(tags, pages.SelectMany(page => page).Select(tag => tag.GetString()));
        Assert.Equal(expectedPages, pages.Count);
    }

    [Theory]
    [InlineData("a", "b,c")]
    [InlineData("b", "c")]
    [InlineData("aa", "b,c")]
    [InlineData("c", "")]
    [InlineData("z", "")]
    [InlineData("", "a,b,c")]
    [InlineData("%F0%9F%98%80", "")]
    [InlineData("'%20OR%20''='", "a,b,c")]
    public async Task Get_LastIsExclusive_AndNeedNotExist(string last, string rest)
    {
        var repository = await WithTagsAsync("a", "b", "c");

        var list = await Client.FollowNamesAsync($"/v2/{repository}/tags/list?last={last}", "tags");

        Assert.Equal(rest, string.Join(',', list));
        Assert.Equal(list, await Client.FollowNamesAsync($"/v2/{repository}/tags/list?n=1&last={last}", "tags"));
    }

    [Fact]
    [Trait("Protocol", "D3.53")]
    public async Task Get_RepositoriesThatArePrefixes_KeepTheirTagsApart()
    {
        var repository = registry.NewRepository();
        string[] names = [repository, $"{repository}/b", $"{repository}/b/c", $"{repository}-b", $"{repository}b"];
        foreach (var name in names) await Client.PushImageAsync(name, $"of-{names.IndexOf(name)}");

        foreach (var name in names)
            Assert.Equal([$"of-{names.IndexOf(name)}"], await Client.FollowNamesAsync($"/v2/{name}/tags/list", "tags"));
        var catalog = await Client.FollowNamesAsync("/v2/_catalog?n=3", "repositories");
        Assert.Equal(names.Order(StringComparer.Ordinal), catalog.Where(name => name.StartsWith(repository, StringComparison.Ordinal)
            && (name.Length == repository.Length || !char.IsAsciiDigit(name[repository.Length]))));
    }

    [Fact]
    public async Task Head_AnswersWithoutBody()
    {
        var repository = await WithTagsAsync("a", "b");
        using var head = await Client.SendAsync("HEAD", $"/v2/{repository}/tags/list?n=1");
        head.AssertStatus(HttpStatusCode.OK);
        Assert.Equal("application/json", head.RawHeader("Content-Type"));
        Assert.NotNull(head.NextLink());
    }

    private async Task<string> WithTagsAsync(params string[] tags)
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        foreach (var tag in tags) await Client.PushManifestAsync(repository, tag, RegistryClient.ImageJson([]));
        return repository;
    }
}
