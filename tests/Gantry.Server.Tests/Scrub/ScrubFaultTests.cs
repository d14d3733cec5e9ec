using System.Collections.Concurrent;
using System.Net;
using Gantry.Core.Events;
using Gantry.Core.Scrub;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.Storage;
using Gantry.Storage.FileSystem;
using Gantry.TestKit;
using Npgsql;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.Scrub;

/// <summary>Stores that misbehave, blobs that go while they are read, nodes that do it at the same time.</summary>
public sealed class ScrubFaultTests(ScrubRegistry registry) : IClassFixture<ScrubRegistry>
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData("open", 1)]
    [InlineData("open", 2)]
    [InlineData("copy", 1)]
    [InlineData("copy", 2)]
    public async Task Outage_OfTheStore_PutsOffAndQuarantinesNothing(string call, int which)
    {
        var digest = await PushRottenAsync();
        var calls = 0;
        Task FailAsync() => ++calls == which ? throw new IOException("the store is away") : Task.CompletedTask;
        var store = new StrangeStore(registry.Store)
        {
            OpeningAsync = _ => call == "open" ? FailAsync() : Task.CompletedTask, CopyingAsync = _ => call == "copy" ? FailAsync() : Task.CompletedTask,
        };

        var result = await registry.ScrubOn(store).NextAsync(None);

        Assert.Equal(new ScrubResult(digest, ScrubOutcome.PutOff, "the store is away"), result);
        Assert.False(await registry.IsQuarantinedAsync(digest));
        Assert.Equal(HttpStatusCode.OK, (await Client.HeadBlobAsync(_repository, digest)).StatusCode);
        Assert.Empty(await registry.EventsAsync(EventKinds.BlobQuarantine, digest));
    }

    [Fact]
    public async Task OneWrongRead_IsNotBelieved()
    {
        var digest = await Client.PushBlobAsync(_repository, NewContent(1000));
        var opened = 0;
        var store = new StrangeStore(registry.Store) { Instead = _ => ++opened == 1 ? new Zeros(1000) : null };

        Assert.Equal(ScrubOutcome.Good, (await registry.ScrubOn(store).CheckAsync(digest, None)).Outcome);
        Assert.Equal(2, opened);
    }

    [Fact]
    public async Task ABlobCollectedWhileItIsRead_IsNotReported()
    {
        var digest = await Client.PushBlobAsync(_repository, NewContent(1000));
        var file = await registry.FileAsync(digest);
        var store = new StrangeStore(registry.Store)
        {
            OpeningAsync = async _ =>
            {
                await registry.ExecuteAsync("DELETE FROM blob_links WHERE digest = $1", digest.ToString());
                await registry.ExecuteAsync("DELETE FROM blobs WHERE digest = $1", digest.ToString());
                file.Delete();
            },
        };

        Assert.Equal(ScrubOutcome.Gone, (await registry.ScrubOn(store).CheckAsync(digest, None)).Outcome);
        Assert.Empty(await registry.EventsAsync(EventKinds.BlobQuarantine, digest));
    }

    [Fact]
    public async Task ABlobHealedWhileItIsRead_IsNotReported()
    {
        var content = NewContent(1000);
        var digest = await Client.PushBlobAsync(_repository, content);
        Rot.Flip(await registry.FileAsync(digest));
        var opened = 0;
        var store = new StrangeStore(registry.Store)
        {
            OpeningAsync = async _ =>
            {
                if (++opened != 2) return;
                // Another node was faster, and so was a client.
                await registry.Scrub.CheckAsync(digest, None);
                await Client.PushBlobAsync(_repository, content);
            },
        };

        Assert.Equal(ScrubOutcome.Gone, (await registry.ScrubOn(store).CheckAsync(digest, None)).Outcome);
        Assert.Single(await registry.EventsAsync(EventKinds.BlobQuarantine, digest));
        Assert.Equal(content, await Client.GetByteArrayAsync($"/v2/{_repository}/blobs/{digest}"));
    }

    [Fact]
    public async Task TwoNodes_NeverHaveOneBlob()
    {
        var due = new List<Digest>();
        for (var index = 0; index < 24; index++) due.Add(await Client.PushBlobAsync(_repository, NewContent(100 + index)));
        await registry.DueAsync([.. due]);
        var (bothAreIn, inside) = (new TaskCompletionSource(), 0);
        var opened = new ConcurrentQueue<BlobLocation>();
        var store = new StrangeStore(registry.Store)
        {
            OpeningAsync = async location =>
            {
                opened.Enqueue(location);
                if (Interlocked.Increment(ref inside) == 2) bothAreIn.SetResult();
                await bothAreIn.Task;
            },
        };

        var nodes = await Task.WhenAll(RunAsync(registry.ScrubOn(store)), RunAsync(registry.ScrubOn(store)));

        Assert.Equal(due.Order(), nodes.SelectMany(found => found).Order());
        Assert.Equal(24, opened.Distinct().Count());
        Assert.Equal(24, opened.Count);

        static async Task<List<Digest>> RunAsync(BlobScrub node)
        {
            var found = new List<Digest>();
            while (await node.NextAsync(None) is { } result) found.Add(result.Digest);
            return found;
        }
    }

    [Fact]
    public async Task ABlobThatAnotherNodeIsClaiming_IsSteppedOver()
    {
        var (first, second) = (await Client.PushBlobAsync(_repository, NewContent(100)), await Client.PushBlobAsync(_repository, NewContent(100)));
        await registry.DueAsync(first);
        await registry.DueAsync(second);
        await using (var other = new NpgsqlConnection(registry.Server.ConnectionString))
        {
            await other.OpenAsync();
            await using var transaction = await other.BeginTransactionAsync();
            await using var claim = new NpgsqlCommand("UPDATE blobs SET scrub_at = scrub_at WHERE digest = $1", other, transaction)
            {
                Parameters = { new() { Value = first.ToString() } },
            };
            await claim.ExecuteNonQueryAsync();

            Assert.Equal(second, (await registry.Scrub.NextAsync(None))!.Digest);
            Assert.Null(await registry.Scrub.NextAsync(None));
            await transaction.RollbackAsync();
        }

        Assert.Equal(first, (await registry.Scrub.NextAsync(None))!.Digest);
    }

    [Fact]
    public async Task ABlobOfADeadNode_IsOnlyDelayed()
    {
        var digest = await Client.PushBlobAsync(_repository, NewContent(100));
        await registry.DueAsync(digest);
        using var death = new CancellationTokenSource();
        var store = new StrangeStore(registry.Store) { OpeningAsync = _ => death.CancelAsync() };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await registry.ScrubOn(store).NextAsync(death.Token));

        Assert.Null(await registry.Scrub.NextAsync(None));
        Assert.True(await registry.Server.QueryAsync<bool>("SELECT scrub_at <= now() + interval '1 hour' FROM blobs WHERE digest = $1", digest.ToString()));
    }

    [Fact]
    public async Task AStoreWithoutAnyOfItsBlobs_IsTakenForTheWrongOne()
    {
        var digests = new List<Digest>();
        for (var index = 0; index < 3; index++) digests.Add(await Client.PushBlobAsync(_repository, NewContent(100)));
        await registry.DueAsync(digests[0]);
        var root = Directory.CreateTempSubdirectory("gantry-empty-");
        var scrub = registry.ScrubOn(new FileSystemBlobStore(FileSystemLayout.Prepare(new FileSystemOptions { Root = root.FullName })));

        Assert.Equal(ScrubOutcome.PutOff, (await scrub.NextAsync(None))!.Outcome);
        Assert.False(await registry.IsQuarantinedAsync(digests[0]));

        // Who names a blob knows what they do.
        Assert.Equal(ScrubOutcome.Rotten, (await scrub.CheckAsync(digests[0], None)).Outcome);
        root.Delete(recursive: true);
    }

    [Fact]
    public async Task Reading_KeepsToItsPace()
    {
        var (time, settings) = (new SkippingTime(), new ScrubOptions { BytesPerSecond = 1_000_000 });
        var digest = await Client.PushBlobAsync(_repository, NewContent(5_000_000));
        var scrub = registry.ScrubOn(registry.Store, settings, time);

        for (var round = 0; round < 3; round++) Assert.Equal(ScrubOutcome.Good, (await scrub.CheckAsync(digest, None)).Outcome);

        // What was read last is paid for by whoever reads next.
        var read = TimeSpan.FromTicks(time.GetTimestamp()).TotalSeconds * settings.BytesPerSecond;
        Assert.InRange(read, 15_000_000 - 512 * 1024, 15_000_000);
    }

    [Fact]
    public async Task ManySmallBlobs_KeepToThePaceToo()
    {
        var (time, settings) = (new SkippingTime(), new ScrubOptions { BytesPerSecond = 65_536 });
        var digest = await Client.PushBlobAsync(_repository, NewContent(10));
        var scrub = registry.ScrubOn(registry.Store, settings, time);

        for (var round = 0; round < 11; round++) await scrub.CheckAsync(digest, None);

        Assert.InRange(TimeSpan.FromTicks(time.GetTimestamp()).TotalSeconds, 10, 11);
    }

    [Fact]
    public async Task AClaim_IsRenewedWhileALargeBlobIsRead()
    {
        const long Length = 200L * 1024 * 1024;
        var digest = await Client.PushBlobAsync(_repository, NewContent(10));
        await registry.ExecuteAsync("UPDATE blobs SET size = $2 WHERE digest = $1", digest.ToString(), Length);
        var claims = new List<DateTime>();
        var store = new StrangeStore(registry.Store)
        {
            Instead = _ => new Zeros(Length),
            CopyingAsync = async _ => claims.Add(await registry.Server.QueryAsync<DateTime>("SELECT scrub_at FROM blobs WHERE digest = $1", digest.ToString())),
        };

        await registry.ScrubOn(store, new ScrubOptions { BytesPerSecond = 65_536 }, new SkippingTime()).CheckAsync(digest, None);

        // Two reads of four pieces, of 17 minutes each but the last.
        Assert.Equal(8, claims.Count);
        Assert.Equal(claims.Order().Distinct().Take(4), claims.Take(4));
    }

    private async Task<Digest> PushRottenAsync()
    {
        var digest = await Client.PushBlobAsync(_repository, NewContent(300_000));
        Rot.Flip(await registry.FileAsync(digest));
        await registry.DueAsync(digest);
        return digest;
    }
}
