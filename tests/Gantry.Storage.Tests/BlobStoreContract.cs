using System.IO.Pipelines;

namespace Gantry.Storage.Tests;

/// <summary>What <see cref="IBlobStore"/> promises, for every backend.</summary>
public abstract class BlobStoreContract : StorageContract
{
    [Fact]
    public async Task Stat_Open_Delete_OfNothing_AreNullAndQuiet()
    {
        var nowhere = await CommitAsync(Content(1));
        await Blobs.DeleteAsync(nowhere, None);

        Assert.Null(await Blobs.StatAsync(nowhere, None));
        Assert.Null(await Blobs.OpenAsync(nowhere, null, None));
        await Blobs.DeleteAsync(nowhere, None);
    }

    [Theory]
    [Trait("Protocol", "D2.30")]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(70_000)]
    [InlineData(1_500_001)]
    public async Task Read_Whole_GivesTheBytes(int length)
    {
        var content = Content(length);
        var location = await CommitAsync(content);

        Assert.Equal(length, await Blobs.StatAsync(location, None));
        Assert.Equal(content, await ReadAsync(location));
    }

    [Fact]
    public async Task Read_AtRandomRanges_GivesTheBytes()
    {
        var content = Content(1_234_567);
        var location = await CommitAsync(content);
        await using var reader = (await Blobs.OpenAsync(location, null, None))!;
        Assert.Equal(content.Length, reader.Length);

        var random = new Random(7);
        for (var round = 0; round < 60; round++)
        {
            var offset = random.Next(content.Length + 1);
            var count = random.Next(Math.Min(content.Length - offset, round % 2 == 0 ? 5000 : int.MaxValue) + 1);
            Assert.Equal(content[offset..(offset + count)], await StorageConnection.ReadAsync(reader, offset, count));
        }
    }

    [Fact]
    public async Task Read_PastTheEnd_IsEndOfStream()
    {
        var location = await CommitAsync(Content(1000));
        await Assert.ThrowsAsync<EndOfStreamException>(() => Store.ReadAsync(location, 900, 101));
    }

    [Fact]
    public async Task Read_ToASlowDestination_WaitsForIt()
    {
        var content = Content(8 * 1024 * 1024);
        var location = await CommitAsync(content);
        await using var reader = (await Blobs.OpenAsync(location, null, None))!;
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024));

        var copy = Task.Run(async () =>
        {
            await reader.CopyToAsync(pipe.Writer, 0, reader.Length, None);
            await pipe.Writer.CompleteAsync();
        });

        // Until the destination is read, the copy may hold no more than a few pieces.
        var first = await pipe.Reader.ReadAsync(None);
        Assert.InRange(first.Buffer.Length, 1, 1024 * 1024);
        Assert.False(copy.IsCompleted);

        pipe.Reader.AdvanceTo(first.Buffer.Start);
        using var result = new MemoryStream();
        await pipe.Reader.CopyToAsync(result);
        await copy;
        Assert.Equal(content, result.ToArray());
    }

    [Fact]
    public async Task Read_WhoseDestinationEnds_IsCancelled()
    {
        var location = await CommitAsync(Content(4 * 1024 * 1024));
        await using var reader = (await Blobs.OpenAsync(location, null, None))!;
        var pipe = new Pipe();
        await pipe.Reader.CompleteAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await reader.CopyToAsync(pipe.Writer, 0, reader.Length, None));
    }

    [Fact]
    public async Task Delete_RemovesOneBlobAlone()
    {
        var (kept, deleted) = (await CommitAsync(Content(10, 1)), await CommitAsync(Content(10, 1)));
        Assert.NotEqual(kept, deleted);

        await Blobs.DeleteAsync(deleted, None);

        Assert.Null(await Blobs.StatAsync(deleted, None));
        Assert.Null(await Blobs.OpenAsync(deleted, null, None));
        Assert.Equal(Content(10, 1), await ReadAsync(kept));
    }

    [Fact]
    public async Task List_NamesWhatLiesInTheShard_StagedAndCommitted()
    {
        var (writer, session, _) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, Content(70_000));
            await writer.CheckpointAsync(None);
            Assert.All(await ListAsync(session), item => Assert.Null(item.Location));
            var location = await writer.CommitAsync(None);
            Assert.Equal([location], await LocationsOfAsync(session));
            Assert.Equal(70_000, (await ListAsync(session)).Single(item => item.Location == location).Size);

            await Blobs.DeleteAsync(location, None);
            await Staging.DiscardAsync(session, Leftovers.Staging, None);
            Assert.Empty(await ListAsync(session));
        }
    }

    [Fact]
    public async Task List_IsOfOneShardAlone()
    {
        var location = await CommitAsync(Content(10));
        var own = (byte)Convert.ToInt32(location.Value.Split('/')[1], 16);
        foreach (var shard in Enumerable.Range(0, 256).Where(shard => shard % ShardStep == 0).Append(own).Distinct())
        {
            await foreach (var item in Blobs.ListAsync((byte)shard, None))
            {
                Assert.Equal(shard, item.SessionId.ToByteArray()[^1]);
                if (item.Location == location) location = default;
            }
        }

        Assert.Equal(default, location);
    }

    /// <summary>Every how many shards a test of all of them looks at one.</summary>
    protected virtual int ShardStep => 1;

    [Fact]
    public async Task Owner_IsWhoeverAskedFirst_OnEveryConnection()
    {
        var other = await ConnectAsync();
        var owner = await Blobs.OwnerAsync(Guid.NewGuid(), None);

        Assert.Equal(owner, await Blobs.OwnerAsync(Guid.NewGuid(), None));
        Assert.Equal(owner, await other.Blobs.OwnerAsync(Guid.NewGuid(), None));
    }

    [Fact]
    public async Task Probe_OfAWorkingStore_Succeeds() => await Blobs.ProbeAsync(None);
}
