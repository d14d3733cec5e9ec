using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Browse;

/// <summary>
/// Public, private, another private one with a rule: five repositories each, one of them with nothing in it. Nobody changes them: who wants to has
/// some of its own.
/// </summary>
public sealed class ListedRepositories : IAsyncLifetime
{
    internal CollectedRegistry Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Registry = await CollectedRegistry.CreateAsync("Access:Anonymous=Pull");
        await Registry.ScalarAsync<object>(
            """
            INSERT INTO namespaces (name, visibility) VALUES ('open', 'public'), ('closed', 'private'), ('ruled', 'private');
            INSERT INTO repositories (name, namespace_id) SELECT n.name || '/' || v.name, n.id FROM namespaces n,
                (VALUES ('web_app'), ('web-api'), ('db'), ('tools/webapp'), ('empty')) v (name);
            INSERT INTO manifests (repository_id, digest, media_type, payload, deleted_at)
                SELECT id, 'sha256:' || repeat('a', 64), 'm', 'm', CASE WHEN name LIKE '%empty' THEN now() END FROM repositories;
            INSERT INTO repository_statistics (repository_id, size, pushed_at, pulled_at, counted_at)
                SELECT id, (id * 7) % 5, CASE WHEN id % 4 > 0 THEN now() - (id % 4) * interval '1 day' END,
                    CASE WHEN id % 3 > 0 THEN now() - (id % 3) * interval '1 day' END, now() FROM repositories;
            INSERT INTO accounts (name, security_stamp, is_administrator) VALUES ('ann', gen_random_uuid(), true), ('mia', gen_random_uuid(), false), ('tom', gen_random_uuid(), false);
            INSERT INTO memberships (namespace_id, account_id, role) SELECT n.id, a.id, 'reader' FROM namespaces n, accounts a WHERE a.name = 'mia' AND n.name IN ('closed', 'ruled');
            INSERT INTO access_rules (namespace_id, pattern, applies_to, denied) SELECT id, 'ruled/web*', '{reader}', '{pull}' FROM namespaces WHERE name = 'ruled';
            """);
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();
}

[Trait("Speed", "Slow")]
public sealed class RepositoryListingTests(ListedRepositories listed) : IClassFixture<ListedRepositories>
{
    private CollectedRegistry _registry = listed.Registry;

    public static TheoryData<RepositorySort, bool, int> Orders()
    {
        var orders = new TheoryData<RepositorySort, bool, int>();
        foreach (var sort in Enum.GetValues<RepositorySort>())
        {
            foreach (var limit in new[] { 1, 5, 100 })
            {
                orders.Add(sort, false, limit);
                orders.Add(sort, true, limit);
            }
        }

        return orders;
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Pages_TogetherAreAll_InOrder(RepositorySort sort, bool descending, int limit)
    {
        var all = await AllAsync(await CallerAsync("ann"), new RepositoryQuery(Sort: sort, Descending: descending), limit);

        var key = sort switch
        {
            RepositorySort.Size => "s.size", RepositorySort.Pushed => "coalesce(s.pushed_at, '-infinity')", RepositorySort.Pulled => "coalesce(s.pulled_at, '-infinity')",
            _ => "r.name",
        };
        var way = descending ? "DESC" : "ASC";
        var expected = await _registry.ScalarAsync<string>(
            $"SELECT string_agg(r.name, ' ' ORDER BY {key} {way}, r.id {way}) FROM repositories r JOIN repository_statistics s ON s.repository_id = r.id WHERE r.name NOT LIKE '%empty'");
        Assert.Equal(expected, string.Join(' ', all));
    }

    [Theory]
    [InlineData("web", "closed/tools/webapp closed/web-api closed/web_app")]
    [InlineData("WEB app", "closed/tools/webapp closed/web_app")]
    [InlineData("app  closed", "closed/tools/webapp closed/web_app")]
    [InlineData("b_a", "closed/web_app")]
    [InlineData("web nothing", "")]
    [InlineData("%", "")]
    [InlineData("wéb", "")]
    [InlineData("we\\b", "")]
    public async Task Words_AreAllInTheName(string words, string expected)
    {
        var found = await AllAsync(await CallerAsync("ann"), new RepositoryQuery(words, Parse("closed")), 100);
        Assert.Equal(expected, string.Join(' ', found));
    }

    [Theory]
    [InlineData(null, 4, 0)]
    [InlineData("tom", 4, 0)]
    [InlineData("mia", 10, 2)]
    [InlineData("ann", 12, 4)]
    public async Task Caller_SeesWhatItMayPull(string? account, int all, int ruled)
    {
        foreach (var sort in Enum.GetValues<RepositorySort>())
        {
            Assert.Equal(all, (await AllAsync(await CallerAsync(account), new RepositoryQuery(Sort: sort), 3)).Count);
            Assert.Equal(ruled, (await AllAsync(await CallerAsync(account), new RepositoryQuery(Namespace: Parse("ruled"), Sort: sort), 3)).Count);
        }
    }

    [Fact]
    public async Task Caller_WithALimitedCredential_SeesNoMore()
    {
        var login = await LoginAsync("ann");
        Assert.True(AccessLimit.TryParse(["repository:closed/web*:pull"], out var limit, out _));
        var caller = _registry.Get<AccessPolicy>().CallerFor(login with { Limit = limit });

        Assert.Equal(["closed/web-api", "closed/web_app"], await AllAsync(caller, new RepositoryQuery(), 100));
    }

    [Theory]
    [InlineData(RepositorySort.Name, "No/Name")]
    [InlineData(RepositorySort.Size, "1")]
    [InlineData(RepositorySort.Size, "-1:2")]
    [InlineData(RepositorySort.Size, "1:x")]
    [InlineData(RepositorySort.Pushed, "9223372036854775807:1")]
    [InlineData(RepositorySort.Pulled, "99999999999999999999:1")]
    [InlineData(RepositorySort.Pulled, "'; DROP")]
    public async Task Place_ThatIsNone_IsRefused(RepositorySort sort, string place)
    {
        var fault = await Assert.ThrowsAsync<OciException>(() =>
            _registry.Get<RepositoryListing>().PageAsync(_registry.Anybody(), new RepositoryQuery(Sort: sort), place, 10, default));
        Assert.Equal(400, fault.Status);
    }

    [Fact]
    public async Task Find_TellsOfOne_CountedOrNot()
    {
        await using var own = new ListedRepositories();
        await own.InitializeAsync();
        _registry = own.Registry;
        var listing = _registry.Get<RepositoryListing>();
        var known = await listing.FindAsync(RepositoryName.Parse("open/db"), default);
        Assert.Equal((Visibility.Public, true), (known!.Visibility, known.Size is not null));

        await _registry.ScalarAsync<object>("DELETE FROM repository_statistics");
        Assert.Null((await listing.FindAsync(RepositoryName.Parse("open/db"), default))!.Size);
        Assert.Equal(12, (await AllAsync(await CallerAsync("ann"), new RepositoryQuery(), 100)).Count);
        Assert.Null(await listing.FindAsync(RepositoryName.Parse("open/none"), default));
    }

    private async Task<List<string>> AllAsync(Caller caller, RepositoryQuery query, int limit)
    {
        var (names, after) = (new List<string>(), (string?)null);
        do
        {
            var page = await _registry.Get<RepositoryListing>().PageAsync(caller, query, after, limit, default);
            Assert.True(page.Items.Count <= limit);
            names.AddRange(page.Items.Select(item => item.Name.ToString()));
            after = page.Next;
        }
        while (after is not null);
        return names;
    }

    private async Task<Caller> CallerAsync(string? account) => _registry.Get<AccessPolicy>().CallerFor(account is null ? null : await LoginAsync(account));

    private async Task<LoggedIn> LoginAsync(string account) =>
        (await _registry.Get<Accounts>().FindRowAsync(AccountName.Parse(account), default))!.ToLogin();

    private static NamespaceName Parse(string name) => NamespaceName.Parse(name);
}
