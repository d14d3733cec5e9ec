using System.IO.Pipelines;
using Gantry.Oci;

namespace Gantry.Storage.Tests;

/// <summary>What <see cref="IUploadStaging"/> promises, for every backend.</summary>
public abstract partial class UploadStagingContract : StorageContract
{
    /// <summary>Around block, buffer and page sizes, and far from them.</summary>
    private static readonly int[] OddChunks =
        [1, 0, 3, 63, 64, 65, 127, 129, 4095, 4097, 65_536, 131_071, 131_072, 131_073, 262_143, 262_145, 2, 700_001];

    /// <summary>
    /// Whether an upload lies somewhere from its first moment on, so that it can be taken, held against a second writer,
    /// and missed. Elsewhere the claim on the session row alone keeps writers apart.
    /// </summary>
    protected virtual bool HoldsUploads => true;

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public async Task Append_InOddChunks_ByOneWriter_GivesContentAndDigest(DigestAlgorithm algorithm)
    {
        var content = Content(OddChunks.Sum());
        var (writer, _, _) = await StartAsync(algorithm);
        await using (writer)
        {
            var at = 0;
            foreach (var chunk in OddChunks)
            {
                await AppendAsync(writer, content.AsMemory(at, chunk));
                at += chunk;
                Assert.Equal(at, writer.Offset);
                Assert.Equal(Digest.Of(content.AsSpan(0, at), algorithm), await writer.DigestAsync(algorithm, None));
            }

            Assert.Equal(content, await ReadAsync(await writer.CommitAsync(None)));
        }
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    [Trait("Protocol", "D5.79")]
    public async Task Append_InOddChunks_EachByAnotherProcess_GivesContentAndDigest(DigestAlgorithm algorithm)
    {
        var content = Content(OddChunks.Sum());
        var session = Guid.CreateVersion7();
        var state = await Staging.CreateAsync(session, algorithm, None);
        var at = 0;
        foreach (var chunk in OddChunks)
        {
            var other = await ConnectAsync();
            await using var writer = (await other.Staging.OpenAsync(session, _ => new(state), None))!;
            await AppendAsync(writer, content.AsMemory(at, chunk));
            state = await writer.CheckpointAsync(None);
            at += chunk;
            Assert.Equal(at, state.Offset);
        }

        await using var last = await OpenAsync(session, state);
        Assert.Equal(Digest.Of(content, algorithm), await last.DigestAsync(algorithm, None));
        Assert.Equal(content, await ReadAsync(await last.CommitAsync(None)));
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha256, DigestAlgorithm.Sha512)]
    [InlineData(DigestAlgorithm.Sha512, DigestAlgorithm.Sha256)]
    [Trait("Protocol", "D3.58")]
    public async Task Digest_OfAnotherAlgorithm_IsReadBack(DigestAlgorithm own, DigestAlgorithm asked)
    {
        var content = Content(600_000);
        var (writer, _, _) = await StartAsync(own);
        await using (writer)
        {
            await AppendAsync(writer, content.AsMemory(0, 400_000));
            Assert.Equal(Digest.Of(content.AsSpan(0, 400_000), asked), await writer.DigestAsync(asked, None));
            if (await IsDoneWithAsync(writer, content[..400_000])) return;
            await AppendAsync(writer, content.AsMemory(400_000));
            Assert.Equal(Digest.Of(content, asked), await writer.DigestAsync(asked, None));
            Assert.Equal(Digest.Of(content, own), await writer.DigestAsync(own, None));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("ff")]
    [InlineData("garbage")]
    [Trait("Protocol", "D5.79")]
    public async Task Digest_WithALostOrDamagedHashState_IsReadBack(string? damage)
    {
        var content = Content(600_000);
        var (writer, session, _) = await StartAsync();
        StagingState state;
        await using (writer)
        {
            await AppendAsync(writer, content.AsMemory(0, 300_001));
            state = await writer.CheckpointAsync(None);
        }

        var damaged = damage switch
        {
            null => null,
            "garbage" => Content(state.HashState?.Length ?? 113),
            _ => Convert.FromHexString(damage),
        };
        await using var resumed = await OpenAsync(session, state with { HashState = damaged });
        await AppendAsync(resumed, content.AsMemory(300_001, 200_000));
        Assert.Equal(Digest.Of(content.AsSpan(0, 500_001)), await resumed.DigestAsync(DigestAlgorithm.Sha256, None));

        // Read back once, it goes on as if it had never been lost.
        if (await IsDoneWithAsync(resumed, content[..500_001])) return;
        await AppendAsync(resumed, content.AsMemory(500_001));
        Assert.Equal(Digest.Of(content), await resumed.DigestAsync(DigestAlgorithm.Sha256, None));
    }

    /// <summary>Where bytes can be read back only as a whole, their digest ends the upload: it can be committed as it is.</summary>
    private async Task<bool> IsDoneWithAsync(IStagingWriter writer, byte[] content)
    {
        if (!writer.IsSealed) return false;
        Assert.False(HoldsUploads);
        await Assert.ThrowsAsync<InvalidOperationException>(() => AppendAsync(writer, new byte[1]));
        Assert.Equal(content, await ReadAsync(await writer.CommitAsync(None)));
        return true;
    }

    [Fact]
    public async Task Open_WhileAnotherWriterHasIt_IsNull()
    {
        if (!HoldsUploads) return;
        var (writer, session, state) = await StartAsync();
        var other = await ConnectAsync();
        await using (writer)
        {
            Assert.Null(await Staging.OpenAsync(session, _ => new(state), None));
            Assert.Null(await other.Staging.OpenAsync(session, _ => new(state), None));
        }

        await using var next = await other.Staging.OpenAsync(session, _ => new(state), None);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task Open_AsksForTheState_WithTheUploadTaken()
    {
        var (writer, session, state) = await StartAsync();
        await writer.DisposeAsync();
        var asked = 0;
        await using var taken = await Staging.OpenAsync(session, async cancellationToken =>
        {
            asked++;
            if (HoldsUploads)
                Assert.Null(await Staging.OpenAsync(session, _ => throw new InvalidOperationException("asked"), cancellationToken));
            return state;
        }, None);
        Assert.NotNull(taken);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Open_OfASessionThatIsGone_OrCannotBeRead_LetsGoOfTheUpload()
    {
        var (writer, session, state) = await StartAsync();
        await writer.DisposeAsync();

        Assert.Null(await Staging.OpenAsync(session, _ => new((StagingState?)null), None));
        Assert.Null(await Staging.OpenAsync(Guid.CreateVersion7(), _ => new((StagingState?)null), None));
        await Assert.ThrowsAsync<TimeoutException>(async () =>
            await Staging.OpenAsync(session, _ => throw new TimeoutException(), None));

        await using var next = await Staging.OpenAsync(session, _ => new(state), None);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task Open_AfterBytesWereNotCheckpointed_ForgetsThem()
    {
        var (content, other) = (Content(100_000), Content(100_000, seed: 2));
        var (writer, session, _) = await StartAsync();
        StagingState state;
        await using (writer)
        {
            await AppendAsync(writer, content.AsMemory(0, 60_000));
            state = await writer.CheckpointAsync(None);
            await AppendAsync(writer, other);
        }

        await using var resumed = await OpenAsync(session, state);
        Assert.Equal(60_000, resumed.Offset);
        await AppendAsync(resumed, content.AsMemory(60_000));
        Assert.Equal(Digest.Of(content), await resumed.DigestAsync(DigestAlgorithm.Sha256, None));
        Assert.Equal(content, await ReadAsync(await resumed.CommitAsync(None)));
    }

    [Fact]
    public async Task Open_OfWhatNeverWas_IsStagingLost()
    {
        if (!HoldsUploads) return;
        var state = await Staging.CreateAsync(Guid.CreateVersion7(), DigestAlgorithm.Sha256, None);
        await Assert.ThrowsAsync<StagingLostException>(() => OpenAsync(Guid.CreateVersion7(), state));
    }

    [Fact]
    public async Task Append_WhoseSourceFails_KeepsWhatCame()
    {
        var content = Content(400_000);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
        var (writer, session, _) = await StartAsync();
        StagingState state;
        await using (writer)
        {
            var append = writer.AppendAsync(pipe.Reader, None).AsTask();
            await pipe.Writer.WriteAsync(content.AsMemory(0, 300_000)); // returns once all of it was taken
            await pipe.Writer.CompleteAsync(new TimeoutException("the client went away"));
            await Assert.ThrowsAsync<TimeoutException>(() => append);
            state = await writer.CheckpointAsync(None);
        }

        Assert.Equal(300_000, state.Offset);
        await using var resumed = await OpenAsync(session, state);
        await AppendAsync(resumed, content.AsMemory(300_000));
        Assert.Equal(Digest.Of(content), await resumed.DigestAsync(DigestAlgorithm.Sha256, None));
        Assert.Equal(content, await ReadAsync(await resumed.CommitAsync(None)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Append_Cancelled_KeepsWhatCame(bool byToken)
    {
        var content = Content(400_000);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var (writer, _, _) = await StartAsync();
        await using (writer)
        {
            using var cancellation = new CancellationTokenSource();
            await pipe.Writer.WriteAsync(content.AsMemory(0, 300_000));
            var append = writer.AppendAsync(pipe.Reader, cancellation.Token).AsTask();
            if (byToken) await cancellation.CancelAsync();
            else pipe.Reader.CancelPendingRead();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);

            var kept = (await writer.CheckpointAsync(None)).Offset;
            Assert.InRange(kept, 0, 300_000);
            await AppendAsync(writer, content.AsMemory((int)kept));
            Assert.Equal(Digest.Of(content), await writer.DigestAsync(DigestAlgorithm.Sha256, None));
            Assert.Equal(content, await ReadAsync(await writer.CommitAsync(None)));
        }
    }
}
