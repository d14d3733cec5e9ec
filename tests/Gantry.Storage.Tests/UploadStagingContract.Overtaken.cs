using Gantry.Oci;

namespace Gantry.Storage.Tests;

/// <summary>
/// A writer that lost its claim and does not know it: another one was opened from the same state. Where the backend itself
/// holds uploads there is no such writer.
/// </summary>
public abstract partial class UploadStagingContract
{
    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(700_000)]
    public async Task Overtaken_BeforeTheOtherCommits_DoesNoHarm(int acknowledged)
    {
        if (HoldsUploads) return;
        var content = Content(1_500_000);
        var (session, state) = await AcknowledgedAsync(content.AsMemory(0, acknowledged));
        await using var winner = await OpenAsync(session, state);
        await using (var loser = await OpenAsync(session, state))
        {
            // As one that broke off in the middle: the client sends the same bytes again to whoever takes over.
            await AppendAsync(loser, content.AsMemory(acknowledged, 500_000));
            await AppendAsync(winner, content.AsMemory(acknowledged, 300_000));
            await loser.CheckpointAsync(None);
            state = await winner.CheckpointAsync(None);
            await AppendAsync(loser, content.AsMemory(acknowledged + 500_000, 100_000));
            await AppendAsync(winner, content.AsMemory(acknowledged + 300_000));
        }

        await AssertCommitsAsync(winner, content);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(700_000)]
    public async Task Overtaken_AfterTheOtherCommitted_DoesNoHarm(int acknowledged)
    {
        if (HoldsUploads) return;
        var (content, other) = (Content(1_500_000), Content(900_000, seed: 2));
        var (session, state) = await AcknowledgedAsync(content.AsMemory(0, acknowledged));
        await using var loser = await OpenAsync(session, state);
        BlobLocation committed;
        await using (var winner = await OpenAsync(session, state))
        {
            await AppendAsync(winner, content.AsMemory(acknowledged));
            committed = await AssertCommitsAsync(winner, content);
        }

        // It may fail, or make a blob of its own that nobody's row will name.
        try
        {
            await AppendAsync(loser, other);
            await loser.CheckpointAsync(None);
            Assert.NotEqual(committed, await loser.CommitAsync(None));
        }
        catch (StagingLostException)
        {
        }

        await loser.DisposeAsync();
        Assert.Equal(content, await ReadAsync(committed));
        await Staging.DiscardAsync(session, Leftovers.Staging, None);
        Assert.Equal(content, await ReadAsync(committed));
    }

    /// <summary>The one that was overtaken puts its parts together first, with the same length and other bytes.</summary>
    [Fact]
    public async Task Overtaken_CommittingFirst_IsNeverTakenForTheOther()
    {
        if (HoldsUploads) return;
        const int WholeParts = 1536 * 1024; // nothing is left to send when the second one commits
        var (content, other) = (Content(WholeParts), Content(WholeParts, seed: 2));
        content.AsSpan(0, 700_000).CopyTo(other);
        var (session, state) = await AcknowledgedAsync(content.AsMemory(0, 700_000));
        await using var winner = await OpenAsync(session, state);
        await using var loser = await OpenAsync(session, state);
        await AppendAsync(winner, content.AsMemory(700_000));
        await AppendAsync(loser, other.AsMemory(700_000));
        var wrong = await AssertCommitsAsync(loser, other);
        try
        {
            var right = await winner.CommitAsync(None);
            Assert.NotEqual(wrong, right);
            Assert.Equal(content, await ReadAsync(right));
        }
        catch (StagingLostException)
        {
        }
    }

    private async Task<BlobLocation> AssertCommitsAsync(IStagingWriter writer, byte[] content)
    {
        Assert.Equal(Digest.Of(content), await writer.DigestAsync(DigestAlgorithm.Sha256, None));
        var location = await writer.CommitAsync(None);
        Assert.Equal(content, await ReadAsync(location));
        return location;
    }

    private async Task<(Guid Session, StagingState State)> AcknowledgedAsync(ReadOnlyMemory<byte> content)
    {
        var (writer, session, state) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, content);
            if (content.Length > 0) state = await writer.CheckpointAsync(None);
        }

        return (session, state);
    }
}
