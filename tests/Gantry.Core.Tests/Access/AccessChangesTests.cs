using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gantry.Core.Tests.Access;

/// <summary>What a node knows of the changes of access, and in which order.</summary>
[Trait("Speed", "Slow")]
public sealed class AccessChangesTests
{
    [Fact]
    public async Task NodeThatHasHeardNothing_TakesEverythingForChanged()
    {
        await using var parts = await AccessParts.CreateAsync();
        var changes = parts.Get<AccessChanges>();

        Assert.False(changes.IsCurrent);
        Assert.True(changes.MayHaveChanged("jane", "acme", long.MaxValue - 1));

        await changes.RefreshAsync();
        Assert.True(changes.IsCurrent);
        Assert.False(changes.MayHaveChanged("jane", "acme", 0));

        parts.Time.Advance(AccessChanges.StaleAfter - TimeSpan.FromMilliseconds(1));
        Assert.False(changes.MayHaveChanged("jane", "acme", 0));
        parts.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(changes.MayHaveChanged("jane", "acme", 0));
    }

    [Fact]
    public async Task Change_ConcernsItsAccountAndItsNamespace_AndWhatIsOlder()
    {
        await using var parts = await AccessParts.CreateAsync();
        var changes = parts.Get<AccessChanges>();
        await parts.AddNamespaceAsync("acme");
        var first = changes.Revision;
        await ChangeAsync(parts, account: "jane", ns: null);
        await ChangeAsync(parts, account: "john", ns: "acme");

        Assert.Equal(first + 2, changes.Revision);
        Assert.True(changes.MayHaveChanged("jane", null, first));
        Assert.False(changes.MayHaveChanged("jane", null, first + 1));
        Assert.True(changes.MayHaveChanged("john", null, first + 1));
        Assert.True(changes.MayHaveChanged("somebody", "acme", first + 1));
        Assert.False(changes.MayHaveChanged("john", "acme", first + 2));
        Assert.False(changes.MayHaveChanged("acme", "john", 0)); // an account is no namespace
        Assert.False(changes.MayHaveChanged(null, null, 0));
    }

    [Fact]
    public async Task Change_ThatChangesNothing_LeavesNoTrace()
    {
        await using var parts = await AccessParts.CreateAsync();

        Assert.False(await parts.Get<AccessWriting>().ChangeAsync(
            new Event(EventKinds.AccountChange) { Subject = "jane" }, Actor.Console, "jane", _ => Task.FromResult(false), default));

        Assert.Equal(0, await parts.ScalarAsync<long>("SELECT count(*) + (SELECT count(*) FROM access_changes) FROM events"));
        Assert.Equal(0, await parts.ScalarAsync<long>("SELECT revision FROM access_revision"));
    }

    [Fact]
    public async Task Change_ThatFails_LeavesNoTrace()
    {
        await using var parts = await AccessParts.CreateAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => parts.Get<AccessWriting>().ChangeAsync(
            new Event(EventKinds.AccountChange), Actor.Console, "jane", _ => throw new InvalidOperationException(), default));
        Assert.Equal(0, await parts.ScalarAsync<long>("SELECT revision FROM access_revision"));
    }

    [Fact]
    public async Task ConcurrentChanges_BecomeVisibleInTheOrderOfTheirRevisions()
    {
        const int Writers = 8, Each = 20;
        await using var parts = await AccessParts.CreateAsync();
        await using var reader = parts.AnotherNode();
        var heard = reader.Get<AccessChanges>();
        await using var second = parts.AnotherNode();

        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++) await ChangeAsync(writer % 2 == 0 ? parts : second, $"writer-{writer}-{i}", null);
        })));
        var seen = new List<long>();
        while (!writing.IsCompleted)
        {
            await heard.RefreshAsync();
            seen.Add(heard.Revision);
            // Whoever knows a revision knows every one before it.
            await AssertKnownAsync(parts, heard);
        }

        await writing;
        await heard.RefreshAsync();
        await AssertKnownAsync(parts, heard);
        Assert.Equal(Writers * Each, heard.Revision);
        Assert.Equal(seen.Order(), seen);
        Assert.True(seen.Distinct().Count() > 2, "the reader was never in the middle of it");
    }

    [Theory]
    [InlineData(new[] { 10_001 })]
    [InlineData(new[] { 6_000, 6_000 })]
    public async Task MoreChangesThanAreKept_MakeEverythingOlderCountAsChanged(int[] bursts)
    {
        await using var parts = await AccessParts.CreateAsync();
        var changes = parts.Get<AccessChanges>();
        await ChangeAsync(parts, "jane", null);
        var before = changes.Revision;
        foreach (var count in bursts)
        {
            await using var command = parts.Database.DataSource.CreateCommand(
                $"""
                 INSERT INTO access_changes (revision, account) SELECT r.revision + i, 'account-' || (r.revision + i)
                 FROM access_revision r, generate_series(1, {count}) i;
                 UPDATE access_revision SET revision = revision + {count}
                 """);
            await command.ExecuteNonQueryAsync();
            await changes.RefreshAsync();
        }

        Assert.Equal(before + bursts.Sum(), changes.Revision);
        Assert.True(changes.MayHaveChanged("somebody", null, before));
        Assert.True(changes.MayHaveChanged(null, "somewhere", changes.Revision - 1));
        Assert.False(changes.MayHaveChanged("somebody", "somewhere", changes.Revision));

        await ChangeAsync(parts, "jane", null);
        Assert.True(changes.MayHaveChanged("jane", null, changes.Revision - 1));
        Assert.False(changes.MayHaveChanged("somebody", null, changes.Revision - 1));
    }

    [Fact]
    public async Task ChangesOlderThanAnyToken_AreForgotten()
    {
        await using var parts = await AccessParts.CreateAsync();
        await ChangeAsync(parts, "jane", null);
        await ChangeAsync(parts, "john", null);
        await parts.ExecuteAsync("UPDATE access_changes SET at = now() - interval '3 hours' WHERE account = 'jane'");

        await parts.Get<AccessChanges>().PruneAsync(default);

        Assert.Equal("john", await parts.ScalarAsync<string>("SELECT string_agg(account, ' ') FROM access_changes"));
        Assert.Equal(2, await parts.ScalarAsync<long>("SELECT revision FROM access_revision"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // a notification that was lost
    public async Task Feed_BringsTheChangesOfOtherNodes(bool notified)
    {
        await using var parts = await AccessParts.CreateAsync();
        await using var node = parts.AnotherNode();
        var (feed, heard) = (node.Services.GetServices<IHostedService>().OfType<AccessChangeFeed>().Single(), node.Get<AccessChanges>());
        await feed.StartAsync(default);
        await UntilAsync(() => heard.IsCurrent);

        if (notified) await ChangeAsync(parts, "jane", null);
        else
        {
            await parts.ExecuteAsync("INSERT INTO access_changes (revision, account) VALUES (1, 'jane')");
            await parts.ExecuteAsync("UPDATE access_revision SET revision = 1");
        }

        await UntilAsync(() => heard.Revision == 1);
        Assert.True(heard.MayHaveChanged("jane", null, 0));
        await feed.StopAsync(default);
    }

    [Fact]
    public async Task Feed_WhoseConnectionBreaks_ListensAgain()
    {
        await using var parts = await AccessParts.CreateAsync();
        await using var node = parts.AnotherNode();
        var (feed, heard) = (node.Services.GetServices<IHostedService>().OfType<AccessChangeFeed>().Single(), node.Get<AccessChanges>());
        await feed.StartAsync(default);
        await UntilAsync(() => heard.IsCurrent);

        Assert.NotEqual(0, await parts.ScalarAsync<long>(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """));
        await ChangeAsync(parts, "jane", null);

        await UntilAsync(() => heard.Revision == 1);
        await feed.StopAsync(default);
    }

    private static Task<bool> ChangeAsync(AccessParts parts, string? account, string? ns) => parts.Get<AccessWriting>().ChangeAsync(
        new Event(EventKinds.AccountChange) { Namespace = ns, Subject = account }, Actor.Console, account, _ => Task.FromResult(true), default);

    private static async Task AssertKnownAsync(AccessParts parts, AccessChanges heard)
    {
        var revision = heard.Revision;
        await using var command = parts.Database.DataSource.CreateCommand(
            $"SELECT revision, account FROM access_changes WHERE revision <= {revision} ORDER BY revision");
        await using var rows = await command.ExecuteReaderAsync();
        var count = 0L;
        while (await rows.ReadAsync())
        {
            Assert.Equal(++count, rows.GetInt64(0));
            Assert.True(heard.MayHaveChanged(rows.GetString(1), null, rows.GetInt64(0) - 1), $"{revision} is known, {count} is not");
        }

        Assert.Equal(revision, count);
    }

    // The feed has no event of its own to wait for.
    private static async Task UntilAsync(Func<bool> done)
    {
        for (var i = 0; !done(); i++)
        {
            Assert.True(i < 3000, "it never came");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
