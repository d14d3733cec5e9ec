using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Events;
using Gantry.Core.Removal;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Browse;

/// <summary>A registry of 10,000 repositories, one of which has 100,000 tags.</summary>
public sealed class LargeRegistry : IAsyncLifetime
{
    internal const int Tags = 100_000, Repositories = 10_000;

    internal CollectedRegistry Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Registry = await CollectedRegistry.CreateAsync("Access:Anonymous=Pull");
        // Autovacuum would come in between, and change plans while they are read.
        foreach (var sql in new[]
        {
            $"""
             INSERT INTO namespaces (name, visibility) SELECT 'space' || i, CASE WHEN i % 2 = 0 THEN 'public' ELSE 'private' END FROM generate_series(1, 100) i;
             INSERT INTO repositories (name, namespace_id) SELECT n.name || '/app-' || left(encode(sha256(i::text::bytea), 'hex'), 12), n.id FROM generate_series(1, {Repositories}) i JOIN namespaces n ON n.name = 'space' || (i % 100 + 1);
             UPDATE repositories SET name = 'space2/large' WHERE id = 1;
             INSERT INTO blobs (digest, size, location) SELECT 'sha256:' || encode(sha256(('b' || i)::bytea), 'hex'), i, 'blobs/' || i FROM generate_series(1, {Tags / 2}) i;
             INSERT INTO blob_links (repository_id, digest, suspect_since) SELECT 1, digest, NULL FROM blobs;
             INSERT INTO blob_links (repository_id, digest, suspect_since) SELECT 2 + i % 100, 'sha256:' || encode(sha256(('b' || i)::bytea), 'hex'), NULL FROM generate_series(1, {Tags / 2}, 5) i;
             INSERT INTO manifests (repository_id, digest, media_type, payload, subject_digest)
                 SELECT 1, 'sha256:' || encode(sha256(('m' || i)::bytea), 'hex'), 'm', 'payload', CASE WHEN i % 10 = 0 THEN 'sha256:' || encode(sha256(('m' || i / 10)::bytea), 'hex') END
                 FROM generate_series(1, {Tags}) i;
             INSERT INTO manifests (repository_id, digest, media_type, payload) SELECT id, 'sha256:' || encode(sha256(name::bytea), 'hex'), 'm', 'payload' FROM repositories WHERE id > 1;
             INSERT INTO manifest_references (repository_id, manifest_digest, blob_digest)
                 SELECT 1, 'sha256:' || encode(sha256(('m' || i)::bytea), 'hex'), 'sha256:' || encode(sha256(('b' || ((i + k) % {Tags / 2} + 1))::bytea), 'hex') FROM generate_series(1, {Tags}) i, generate_series(1, 2) k;
             INSERT INTO tags (repository_id, name, manifest_digest, updated_at) SELECT 1, 't' || i, 'sha256:' || encode(sha256(('m' || i)::bytea), 'hex'), now() - i * interval '1 second' FROM generate_series(1, {Tags}) i;
             INSERT INTO tag_history (repository_id, name, manifest_digest) SELECT 1, name, manifest_digest FROM tags;
             INSERT INTO tag_history (repository_id, name, at) SELECT 1, 'gone' || i, now() - i * interval '1 minute' FROM generate_series(1, {Tags / 2}) i;
             INSERT INTO tag_pulls (repository_id, name, pulled_at, pulls, size) SELECT 1, name, CASE WHEN length(name) % 2 = 0 THEN '-infinity' ELSE updated_at END, 1, hashtext(name) % 1000 + 1000 FROM tags;
             INSERT INTO manifest_facts (repository_id, digest, size, due_at) SELECT repository_id, digest, 1, NULL FROM manifests;
             INSERT INTO repository_statistics (repository_id, size, manifests, pushed_at, pulled_at, counted_at, stale_since)
                 SELECT id, id * 7919 % 10007, 1, now() - id * interval '1 minute', CASE WHEN id % 2 = 0 THEN now() - id * interval '1 second' END, now(), NULL FROM repositories;
             INSERT INTO events (kind, pending, at, namespace, repository, account, subject)
                 SELECT CASE WHEN i % {Tags / 2} = 0 THEN 'gc.run' ELSE 'push' END, false, timestamptz '2026-01-01Z' + i * interval '1 minute' - i % 7 * interval '10 seconds', 'space2',
                     CASE i WHEN 17 THEN 'space2/rare' ELSE 'space2/large' END, CASE WHEN i IN (20, 21) THEN 'rare' ELSE 'mia' END, CASE i WHEN 22 THEN 'rare' WHEN 20 THEN 'rare' END
                 FROM generate_series(1, {Tags}) i;
             INSERT INTO accounts (name, security_stamp) VALUES ('mia', gen_random_uuid());
             INSERT INTO memberships (namespace_id, account_id, role) SELECT id, 1, 'reader' FROM namespaces WHERE visibility = 'private' AND id < 20;
             """,
            "VACUUM ANALYZE",
        })
        {
            await using var command = Registry.Database.DataSource.CreateCommand(sql);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync();
        }
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();
}

/// <summary>Every statement of a page finds its rows by an index, in the order in which it shows them.</summary>
[Trait("Speed", "Slow")]
public sealed class BrowsePlanTests(LargeRegistry large, ITestOutputHelper output) : IClassFixture<LargeRegistry>
{
    private static readonly RepositoryName Large = RepositoryName.Parse("space2/large");
    private readonly CollectedRegistry _registry = large.Registry;

    [Theory]
    [InlineData(TagSort.Name, false)]
    [InlineData(TagSort.Name, true)]
    [InlineData(TagSort.Pushed, false)]
    [InlineData(TagSort.Pushed, true)]
    [InlineData(TagSort.Pulled, false)]
    [InlineData(TagSort.Pulled, true)]
    [InlineData(TagSort.Size, false)]
    [InlineData(TagSort.Size, true)]
    public async Task Tags_InEachOrder_AreAnIndexScan(TagSort sort, bool descending)
    {
        foreach (var filter in new[] { "", "t9999" })
        {
            string? next = null;
            await AssertIndexScansAsync($"tags by {sort} '{filter}'", async () =>
                next = (await _registry.Get<TagListing>().PageAsync(Large, new TagQuery(sort, descending, filter), null, 100, default))!.Next, mayLookAtAll: filter.Length > 0);
            await AssertIndexScansAsync($"tags by {sort} '{filter}', next", () =>
                _registry.Get<TagListing>().PageAsync(Large, new TagQuery(sort, descending, filter), next, 100, default), mayLookAtAll: filter.Length > 0);
        }
    }

    [Theory]
    [InlineData(RepositorySort.Name, false)]
    [InlineData(RepositorySort.Name, true)]
    [InlineData(RepositorySort.Size, false)]
    [InlineData(RepositorySort.Size, true)]
    [InlineData(RepositorySort.Pushed, true)]
    [InlineData(RepositorySort.Pulled, false)]
    [InlineData(RepositorySort.Pulled, true)]
    public async Task Repositories_InEachOrder_AreAnIndexScan(RepositorySort sort, bool descending)
    {
        var mia = (await _registry.Get<Accounts>().FindRowAsync(AccountName.Parse("mia"), default))!.ToLogin();
        foreach (var login in new[] { null, mia, mia with { Account = mia.Account with { IsAdministrator = true } } })
        {
            var (listing, caller, query) = (_registry.Get<RepositoryListing>(), _registry.Get<AccessPolicy>().CallerFor(login), new RepositoryQuery(Sort: sort, Descending: descending));
            string? next = null;
            await AssertIndexScansAsync($"repositories by {sort}", async () => next = (await listing.PageAsync(caller, query, null, 50, default)).Next);
            await AssertIndexScansAsync($"repositories by {sort}, next", () => listing.PageAsync(caller, query, next, 50, default));
            // Words are held against every name, and all else is found by its index.
            var found = 0;
            await AssertIndexScansAsync($"repositories by {sort}, with words", async () =>
                found = (await listing.PageAsync(caller, query with { Words = "app 9a4" }, null, 50, default)).Items.Count, mayLookAtAll: true);
            Assert.NotEqual(0, found);
        }
    }

    [Fact]
    public async Task Counting_AndUsage_AreIndexScans()
    {
        await AssertIndexScansAsync("usage of a small repository", () => _registry.Get<Usage>().OfRepositoryAsync(SmallName(), default));
        await AssertIndexScansAsync("usage of a large repository", () => _registry.Get<Usage>().OfRepositoryAsync(Large, default));
        await AssertIndexScansAsync("deletion of a repository", () => _registry.Get<DeletionPreview>().OfRepositoryAsync(SmallName(), default));
        await AssertIndexScansAsync("deletion of a manifest", () => _registry.Get<DeletionPreview>().OfManifestAsync(Large, Manifest(7), default));
        await AssertIndexScansAsync("deletion of a tag", () => _registry.Get<DeletionPreview>().OfTagAsync(Large, TagName.Parse("t7"), default));
        await _registry.ScalarAsync<object>("UPDATE repository_statistics SET stale_since = now() WHERE repository_id = 2");
        await AssertIndexScansAsync("a count", () => _registry.Get<RepositoryCounting>().CountNextAsync(default));
        await AssertIndexScansAsync("new links", () => _registry.Get<NewLinks>().MarkAsync(default));
        await _registry.ScalarAsync<object>("UPDATE manifest_facts SET due_at = now() WHERE repository_id = 2");
        // What is written is sorted, for the order of the locks.
        await AssertIndexScansAsync("facts", () => _registry.Get<ManifestFacts>().MakeDueAsync(default), mayLookAtAll: true);
    }

    [Fact]
    public async Task Namespaces_WithTheirFigures_AreIndexScans()
    {
        string[] names = [.. Enumerable.Range(1, 50).Select(number => $"space{number}")];
        await AssertIndexScansAsync("figures of namespaces", () => _registry.Get<Usage>().FiguresAsync(AccountReach.Everything, names, default));
        await AssertIndexScansAsync("namespaces", () => _registry.Get<Namespaces>().PageAsync(AccountReach.Everything, "space", null, 50, default), mayLookAtAll: true);
        Assert.Equal(100, (await _registry.Get<Usage>().FiguresAsync(AccountReach.Everything, ["space7"], default))["space7"].Repositories);
    }

    [Fact]
    public async Task Details_AreIndexScans()
    {
        await AssertIndexScansAsync("a manifest", () => _registry.Get<ManifestDetails>().FindAsync(Large, TagName.Parse("t7"), default));
        await AssertIndexScansAsync("referrers", () => _registry.Get<ReferrerTree>().ReadAsync(Large, Manifest(7), default));
        await AssertIndexScansAsync("history", () => _registry.Get<TagHistory>().PageAsync(Large, TagName.Parse("t7"), null, 100, default));
        await AssertIndexScansAsync("a repository", () => _registry.Get<RepositoryListing>().FindAsync(Large, default));
        await AssertIndexScansAsync("a README", () => _registry.Get<Readmes>().FindAsync(Large, default));
        var counts = _registry.Get<Gantry.Core.Pull.PullCounts>();
        for (var i = 1; i < 20; i++) counts.Count(Large, i % 2 == 0 ? $"t{i}" : $"{Manifest(i)}");
        // What is written is sorted, for the order of the locks.
        await AssertIndexScansAsync("pulls", () => counts.WriteAsync(default), mayLookAtAll: true);
    }

    [Fact]
    public async Task Deleted_LooksAtRemovalsWithinTheGraceAlone()
    {
        var plans = _registry.Pauses.Plans = [];
        Assert.Empty((await _registry.Get<RestorableContent>().PageAsync(Large, null, 50, default))!);
        _registry.Pauses.Plans = null;
        var tags = plans.Single(plan => plan.Contains("tag_history last", StringComparison.Ordinal));
        Assert.Matches(new Regex(@"tag_history_removed.*\n\s*Index Cond: .*at > ", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10)), tags);
    }

    /// <summary>The events are numbered, a minute apart: what is asked for is often at the end that is read last.</summary>
    [Theory]
    [InlineData("gc.run", null, null, null, null, @"events_by_kind", new long[] { 100_000, 50_000 })]
    [InlineData(null, "space2/rare", null, null, null, "events_by_repository", new long[] { 17 })]
    [InlineData(null, null, "rare", null, null, "(?s)events_by_account.*events_by_subject", new long[] { 22, 21, 20 })]
    [InlineData("push", null, "rare", null, null, "(?s)events_by_account.*events_by_subject", new long[] { 22, 21, 20 })]
    [InlineData("push", null, null, null, "2026-01-01T00:03:00Z", "Index Cond: .*id < ", new long[] { 3, 2, 1 })]
    [InlineData(null, null, null, "2026-01-01T00:00:00Z", "2026-01-01T00:02:30Z", "Index Cond: .*id >= .*id < ", new long[] { 2, 1 })]
    [InlineData(null, null, "mia", "2026-01-02T00:00:00Z", "2026-01-02T00:03:00Z", "Index Cond: .*id >= .*id < ", new long[] { 1443, 1442, 1441 })]
    [InlineData(null, null, null, "2999-01-01T00:00:00Z", null, "Index Cond: .*id >= ", new long[] { })]
    [InlineData(null, null, null, null, "2025-01-01T00:00:00Z", "Index Cond: .*id < ", new long[] { })]
    public async Task Audit_ForWhatIsRareOrLongAgo_IsAnIndexScan(string? kind, string? repository, string? account, string? from, string? until, string plan, long[] ids)
    {
        var filter = new AuditFilter { Kind = kind, Repository = repository, Account = account, From = TimeOf(from), Until = TimeOf(until) };
        var listing = _registry.Get<AuditListing>();
        var plans = _registry.Pauses.Plans = [];
        Assert.Equal(ids, (await listing.PageAsync(filter, null, 51, default)).Select(row => row.Id));
        _registry.Pauses.Plans = null;

        Assert.Matches(new Regex(plan, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10)), plans[^1]);
        Assert.All(plans, one => Assert.DoesNotContain("Seq Scan on events", one, StringComparison.Ordinal));
        Assert.Equal(ids.Take(1), (await listing.PageAsync(filter, null, 1, default)).Select(row => row.Id));
        if (ids.Length > 1) Assert.Equal(ids[1..], (await listing.PageAsync(filter, ids[0], 51, default)).Select(row => row.Id));

        static DateTimeOffset? TimeOf(string? text) => text is null ? null : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <param name="mayLookAtAll">Names of repositories are all looked at where there are words; the filter of tags looks at an index alone.</param>
    private async Task AssertIndexScansAsync(string what, Func<Task> ask, bool mayLookAtAll = false)
    {
        var plans = _registry.Pauses.Plans = [];
        await ask();
        _registry.Pauses.Plans = null;
        var start = Stopwatch.GetTimestamp();
        await ask();
        output.WriteLine($"{what}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0.0} ms");

        Assert.NotEmpty(plans);
        var named = mayLookAtAll ? "tags|manifests|manifest_facts|tag_pulls|blobs|blob_links|manifest_references"
            : "tags|manifests|manifest_facts|tag_pulls|blobs|blob_links|manifest_references|tag_history|repositories|repository_statistics";
        Assert.All(plans, plan => Assert.DoesNotMatch(new Regex($@"Seq Scan on ({named})\b", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10)), plan));
        // The order is the index's: only a page is ever sorted, by its number in the page.
        if (!mayLookAtAll)
            Assert.All(plans, plan => Assert.DoesNotMatch(new Regex(@"Sort Key: .*\b(name|size|updated_at|pulled_at|pushed_at)\b", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10)), plan));
    }

    private static Digest Manifest(int number) => Digest.Of(System.Text.Encoding.ASCII.GetBytes($"m{number}"));

    private static RepositoryName SmallName() =>
        RepositoryName.Parse($"space3/app-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("2"u8))[..12]}");
}
