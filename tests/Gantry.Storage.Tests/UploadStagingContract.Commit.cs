using Gantry.Oci;

namespace Gantry.Storage.Tests;

public abstract partial class UploadStagingContract
{
    [Fact]
    public async Task Location_BeforeTheCommit_HoldsNothing()
    {
        var (writer, session, _) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, Content(1000));
            await writer.CheckpointAsync(None);
            Assert.Empty(await LocationsOfAsync(session));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(300_000)]
    [Trait("Protocol", "D2.30")]
    public async Task Commit_WithAndWithoutCheckpoint_MakesTheBytesVisible(int length)
    {
        var content = Content(length);
        foreach (var checkpointed in (bool[])[true, false])
        {
            var (writer, session, _) = await StartAsync();
            await using (writer)
            {
                await AppendAsync(writer, content);
                if (checkpointed) await writer.CheckpointAsync(None);
                Assert.Equal(Digest.Of(content), await writer.DigestAsync(DigestAlgorithm.Sha256, None));
                var location = await writer.CommitAsync(None);
                Assert.Equal([location], await LocationsOfAsync(session));
                Assert.Equal(content, await ReadAsync(location));
            }
        }
    }

    [Fact]
    public async Task Commit_Twice_SucceedsTwice()
    {
        var (writer, _, _) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, Content(5000));
            var location = await writer.CommitAsync(None);
            Assert.Equal(location, await writer.CommitAsync(None));
            Assert.Equal(Content(5000), await ReadAsync(location));
        }
    }

    [Fact]
    public async Task Open_WhileTheCommitterStillHasIt_IsNull_AndReadersAreServed()
    {
        var (writer, session, state) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, Content(5000));
            var location = await writer.CommitAsync(None);
            if (HoldsUploads) Assert.Null(await Staging.OpenAsync(session, _ => new(state), None));
            Assert.Equal(Content(5000), await ReadAsync(location));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(300_000)]
    public async Task Open_AfterACommitWhoseRowWasNeverWritten_IsSealed_OrGoesOn(int checkpointed)
    {
        var content = Content(500_000);
        var (writer, session, state) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, content.AsMemory(0, checkpointed));
            if (checkpointed > 0) state = await writer.CheckpointAsync(None);
            await AppendAsync(writer, content.AsMemory(checkpointed));
            await writer.CommitAsync(None);
        }

        var other = await ConnectAsync();
        await using var resumed = (await other.Staging.OpenAsync(session, _ => new(state), None))!;
        if (!resumed.IsSealed)
        {
            // Nothing that was acknowledged leads to what the commit made: the upload is where it was.
            Assert.False(HoldsUploads);
            Assert.Equal(checkpointed, resumed.Offset);
            await AppendAsync(resumed, content.AsMemory(checkpointed));
            Assert.Equal(Digest.Of(content), await resumed.DigestAsync(DigestAlgorithm.Sha256, None));
            var again = await resumed.CommitAsync(None);
            Assert.Contains(again, await LocationsOfAsync(session));
            Assert.Equal(content, await ReadAsync(again));
            return;
        }

        Assert.Equal(content.Length, resumed.Offset);
        await Assert.ThrowsAsync<InvalidOperationException>(() => AppendAsync(resumed, new byte[1]));
        Assert.Equal(Digest.Of(content), await resumed.DigestAsync(DigestAlgorithm.Sha256, None));
        Assert.Equal(Digest.Of(content, DigestAlgorithm.Sha512), await resumed.DigestAsync(DigestAlgorithm.Sha512, None));
        var location = await resumed.CommitAsync(None);
        Assert.Equal([location], await LocationsOfAsync(session));
        Assert.Equal(content, await ReadAsync(location));
        if (HoldsUploads) Assert.Null(await Staging.OpenAsync(session, _ => new(state), None));
    }

    [Theory]
    [InlineData("created")]
    [InlineData("appended")]
    [InlineData("checkpointed")]
    [InlineData("committed")]
    public async Task Discard_AtEveryStage_LeavesNothing(string stage)
    {
        var (writer, session, state) = await StartAsync();
        await using (writer)
        {
            if (stage != "created") await AppendAsync(writer, Content(300_000));
            if (stage == "checkpointed") state = await writer.CheckpointAsync(None);
            if (stage == "committed") await writer.CommitAsync(None);
        }

        await Staging.DiscardAsync(session, Leftovers.Everything, None);
        await Staging.DiscardAsync(session, Leftovers.Everything, None);
        await Staging.DiscardAsync(session, Leftovers.Everything, None);

        Assert.Empty(await ListAsync(session));
        if (HoldsUploads) await Assert.ThrowsAsync<StagingLostException>(() => OpenAsync(session, state));
    }

    [Fact]
    public async Task Discard_OfTheStagingAlone_KeepsWhatWasCommitted()
    {
        var (writer, session, _) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, Content(3000));
            await writer.CheckpointAsync(None);
            var location = await writer.CommitAsync(None);
            await Staging.DiscardAsync(session, Leftovers.Staging, None);

            Assert.Equal(location, Assert.Single(await ListAsync(session)).Location);
            Assert.Equal(Content(3000), await ReadAsync(location));
        }
    }

    [Fact]
    public async Task Commit_AfterADiscard_IsStagingLost()
    {
        if (!HoldsUploads) return;
        var (writer, session, state) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, Content(1000));
            await Staging.DiscardAsync(session, Leftovers.Everything, None);
            await Assert.ThrowsAsync<StagingLostException>(async () => await writer.CommitAsync(None));
            Assert.Empty(await LocationsOfAsync(session));
        }
    }
}
