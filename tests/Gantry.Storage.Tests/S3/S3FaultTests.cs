using System.IO.Pipelines;
using Amazon.S3.Model;
using Gantry.Oci;
using Gantry.Storage.S3;
using Gantry.TestKit;

namespace Gantry.Storage.Tests.S3;

/// <summary>A store that stumbles: what passes is tried again, what lasts fails cleanly, and nothing is written twice.</summary>
[Trait("Speed", "Slow")]
public sealed class S3FaultTests(SmallPartsFolder folder) : IClassFixture<SmallPartsFolder>, IAsyncLifetime
{
    private const int PartBytes = 2 * S3Server.MinPartBytes;
    private static readonly CancellationToken None = CancellationToken.None;
    private FaultyS3 _proxy = null!;
    private StorageConnection _store = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = await FaultyS3.StartAsync(folder.Bucket.Endpoint);
        var options = folder.Options;
        (options.Endpoint, options.Retries) = (_proxy.Address, 2);
        _store = folder.Connect(options);
    }

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    [Theory]
    [InlineData("PUT part", Fate.SlowDown)]
    [InlineData("PUT part", Fate.Broken)]
    [InlineData("PUT part", Fate.CutRequest)]
    [InlineData("PUT part", Fate.LoseAnswer)]
    [InlineData("POST uploads", Fate.SlowDown)]
    [InlineData("POST upload", Fate.SlowDown)]
    [InlineData("POST upload", Fate.LoseAnswer)]
    [InlineData("PUT", Fate.CutRequest)]
    [InlineData("PUT", Fate.LoseAnswer)]
    [InlineData("GET", Fate.CutAnswer)]
    [InlineData("GET", Fate.SlowDown)]
    public async Task Upload_WhereTwoRequestsFail_GoesThrough(string kind, Fate fate)
    {
        var content = Content(3 * PartBytes + 1000);
        var (session, state) = await CreateAsync();
        _proxy.Next(2, kind, fate);
        var at = 0;
        foreach (var chunk in (int[])[PartBytes / 2, 2 * PartBytes, PartBytes / 2 + 1000])
        {
            await using var writer = await OpenAsync(session, state);
            await AppendAsync(writer, content.AsMemory(at, chunk));
            state = await writer.CheckpointAsync(None);
            at += chunk;
        }

        await using var last = await OpenAsync(session, state);
        Assert.Equal(Digest.Of(content), await last.DigestAsync(DigestAlgorithm.Sha256, None));
        Assert.Equal(content, await folder.Connect().ReadAsync(await last.CommitAsync(None)));
        Assert.Equal(2, _proxy.Requests.Count(seen => seen.Fate != Fate.Pass));
    }

    [Fact]
    public async Task Read_WhoseConnectionIsCutAgainAndAgain_GoesOnWhereItWas()
    {
        var content = Content(5_000_000);
        var location = await _store.CommitAsync(content);
        _proxy.Next(6, "GET", Fate.CutAnswer);

        Assert.Equal(content, await _store.ReadAsync(location));
        Assert.Equal(7, _proxy.Count("GET"));
    }

    [Theory]
    [InlineData(false, 1000)]
    [InlineData(true, 1000)]
    [InlineData(true, 3 * PartBytes)]
    public async Task Checksums_GoWithEveryBody_WhereTheyAreOn(bool isOn, int length)
    {
        var options = folder.Options;
        (options.Endpoint, options.Checksums) = (_proxy.Address, isOn);
        var store = folder.Connect(options);

        Assert.Equal(Content(length), await store.ReadAsync(await store.CommitAsync(Content(length))));
        var bodies = _proxy.Requests.Where(seen => seen.Kind.StartsWith("PUT", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(bodies);
        Assert.All(bodies, seen => Assert.Equal(isOn, seen.HasChecksum));
    }

    [Fact]
    public async Task Read_OfAStoreThatIsAway_FailsCleanly()
    {
        var location = await _store.CommitAsync(Content(100_000));
        _proxy.Rule = _ => Fate.Broken;
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _store.ReadAsync(location));
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await _store.Blobs.StatAsync(location, None));
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await _store.Blobs.DeleteAsync(location, None));
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await _store.Blobs.ProbeAsync(None));

        _proxy.Rule = _ => Fate.Pass;
        Assert.Equal(Content(100_000), await _store.ReadAsync(location));
    }

    /// <summary>The fault comes after some parts: they stay, and the same writer goes on behind them.</summary>
    [Fact]
    public async Task Append_ToAStoreThatGoesAway_KeepsWhatItHas_AndGoesOnLater()
    {
        var content = Content(10 * PartBytes + 12_345);
        var (session, state) = await CreateAsync();
        await using (var first = await OpenAsync(session, state))
        {
            await AppendAsync(first, content.AsMemory(0, 1000));
            state = await first.CheckpointAsync(None);
        }

        var parts = 0;
        _proxy.Rule = kind => kind == "PUT part" && Interlocked.Increment(ref parts) > 3 ? Fate.Broken : Fate.Pass;
        await using (var writer = await OpenAsync(session, state))
        {
            await Assert.ThrowsAsync<StorageUnavailableException>(() => AppendAsync(writer, content.AsMemory(1000)));
            var kept = (int)writer.Offset;
            Assert.InRange(kept, 1000, 4 * PartBytes);
            // Whole parts; none where the first one came to the store behind three others.
            Assert.True(kept == 1000 || kept % PartBytes == 0, $"{kept} bytes were kept");
            Assert.Equal(Digest.Of(content.AsSpan(0, kept)), await writer.DigestAsync(DigestAlgorithm.Sha256, None));
            state = await writer.CheckpointAsync(None);
            Assert.Equal(kept, state.Offset);

            _proxy.Rule = _ => Fate.Pass;
            await AppendAsync(writer, content.AsMemory(kept, 2 * PartBytes));
            state = await writer.CheckpointAsync(None);
        }

        await using var last = await OpenAsync(session, state);
        await AppendAsync(last, content.AsMemory((int)state.Offset));
        Assert.Equal(Digest.Of(content), await last.DigestAsync(DigestAlgorithm.Sha256, None));
        Assert.Equal(content, await _store.ReadAsync(await last.CommitAsync(None)));
    }

    [Fact]
    public async Task Append_OnAFullStore_IsStorageFull()
    {
        var (session, state) = await CreateAsync();
        await using var writer = await OpenAsync(session, state);
        _proxy.Rule = kind => kind == "PUT part" ? Fate.Full : Fate.Pass;
        await Assert.ThrowsAsync<StorageFullException>(() => AppendAsync(writer, Content(2 * PartBytes)));
        Assert.Equal(0, writer.Offset);
    }

    [Fact]
    public async Task Checkpoint_ThatFails_MayBeAskedForAgain()
    {
        var (session, state) = await CreateAsync();
        await using var writer = await OpenAsync(session, state);
        await AppendAsync(writer, Content(1000));
        _proxy.Rule = _ => Fate.Broken;
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await writer.CheckpointAsync(None));
        _proxy.Rule = _ => Fate.Pass;
        Assert.Equal(1000, (await writer.CheckpointAsync(None)).Offset);
        Assert.Equal(Content(1000), await _store.ReadAsync(await writer.CommitAsync(None)));
    }

    [Fact]
    public async Task Commit_ThatFails_MayBeAskedForAgain()
    {
        var content = Content(2 * PartBytes + 77);
        var (session, state) = await CreateAsync();
        await using var writer = await OpenAsync(session, state);
        await AppendAsync(writer, content);
        _proxy.Rule = kind => kind == "POST upload" ? Fate.Broken : Fate.Pass;
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await writer.CommitAsync(None));
        _proxy.Rule = _ => Fate.Pass;
        Assert.Equal(content, await _store.ReadAsync(await writer.CommitAsync(None)));
    }

    /// <summary>Every answer to the completion is lost, and it was completed all the same.</summary>
    [Fact]
    public async Task Commit_WhoseAnswersAreAllLost_IsFoundDone()
    {
        var content = Content(2 * PartBytes + 77);
        var (session, state) = await CreateAsync();
        await using var writer = await OpenAsync(session, state);
        await AppendAsync(writer, content);
        _proxy.Rule = kind => kind == "POST upload" ? Fate.LoseAnswer : Fate.Pass;
        Assert.Equal(content, await _store.ReadAsync(await writer.CommitAsync(None)));
    }

    [Fact]
    public async Task Commit_OfAnUploadThatWasDiscarded_IsStagingLost()
    {
        var (session, state) = await CreateAsync();
        await using var writer = await OpenAsync(session, state);
        await AppendAsync(writer, Content(2 * PartBytes + 77));
        await folder.Connect().Staging.DiscardAsync(session, Leftovers.Everything, None);
        await Assert.ThrowsAsync<StagingLostException>(async () => await writer.CommitAsync(None));
        Assert.Empty(await folder.Bucket.ListAsync($"registry/blobs/{$"{session:N}"[^2..]}/{session:N}"));
    }

    /// <summary>
    /// A writer that was overtaken cannot be stopped in S3: what it still sends as a part takes the other's place there. The
    /// completion names its parts by their ETags, so the upload is lost and not damaged.
    /// </summary>
    [Fact]
    public async Task Commit_AfterAPartThatAnOvertakenWriterSentLate_CommitsNothing()
    {
        var content = Content(2 * PartBytes + 77);
        var (session, state) = await CreateAsync();
        await using var writer = await OpenAsync(session, state);
        await AppendAsync(writer, content);
        state = await writer.CheckpointAsync(None);

        using var overtaken = folder.Bucket.Connect();
        var running = await overtaken.ListMultipartUploadsAsync(
            new ListMultipartUploadsRequest { BucketName = folder.Bucket.Name, Prefix = $"registry/blobs/{$"{session:N}"[^2..]}/{session:N}" });
        var upload = Assert.Single(running.MultipartUploads);
        await overtaken.UploadPartAsync(new UploadPartRequest
        {
            BucketName = folder.Bucket.Name, Key = upload.Key, UploadId = upload.UploadId, PartNumber = 1, InputStream = new MemoryStream(new byte[PartBytes]),
        });

        await using var last = await OpenAsync(session, state);
        await Assert.ThrowsAsync<StagingLostException>(async () => await last.CommitAsync(None));
        Assert.Empty(await folder.Bucket.ListAsync(upload.Key));
    }

    /// <summary>Chunks of 64 KiB through two nodes in turn: each byte is sent twice at most, and read once, as a piece.</summary>
    [Fact]
    [Trait("Protocol", "D2.23")]
    public async Task SmallChunks_OnTwoNodes_CostFewRequests_AndNothingIsReadBack()
    {
        const int Chunk = 16 * 1024, Chunks = 100;
        var content = Content(Chunk * Chunks);
        var options = folder.Options;
        options.Endpoint = _proxy.Address;
        StorageConnection[] nodes = [_store, folder.Connect(options)];
        var (session, state) = await CreateAsync();
        for (var n = 0; n < Chunks; n++)
        {
            await using var writer = (await nodes[n % 2].Staging.OpenAsync(session, _ => new(state), None))!;
            await AppendAsync(writer, content.AsMemory(n * Chunk, Chunk));
            state = await writer.CheckpointAsync(None);
        }

        BlobLocation location;
        await using (var last = await OpenAsync(session, state))
        {
            Assert.Equal(Digest.Of(content), await last.DigestAsync(DigestAlgorithm.Sha256, None));
            location = await last.CommitAsync(None);
            Assert.True(last.LeavesStaging);
        }

        // A piece a chunk, unless the chunk makes a part full; each piece is fetched once and removed with the others of its part.
        var parts = (content.Length + PartBytes - 1) / PartBytes;
        Assert.Equal(Chunks - Chunks * Chunk / PartBytes, _proxy.Count("PUT"));
        Assert.Equal(_proxy.Count("PUT"), _proxy.Count("GET"));
        Assert.Equal(parts, _proxy.Count("PUT part"));
        Assert.InRange(_proxy.Count("POST delete"), 1, parts);
        Assert.InRange(_proxy.Count("HEAD"), 0, Chunks + 1);
        Assert.All(_proxy.Requests.Where(seen => seen.Kind == "GET"), seen => Assert.Contains("/uploads/", seen.Key, StringComparison.Ordinal));

        Assert.Equal(content, await _store.ReadAsync(location));
        Assert.InRange((await folder.Bucket.ListAsync($"registry/uploads/{session:N}"[..^32] + $"{session:N}"[^2..] + $"/{session:N}/")).Count, 1, 20);
        await _store.Staging.DiscardAsync(session, Leftovers.Staging, None);
        Assert.Equal(content, await _store.ReadAsync(location));
    }

    [Fact]
    public async Task TinyChunks_NeverMakeMorePiecesThanTheBound()
    {
        const int Chunks = S3StagingWriter.MaxPieces + 20;
        var content = Content(Chunks * 7);
        var (session, state) = await CreateAsync();
        for (var n = 0; n < Chunks; n++)
        {
            await using var writer = await OpenAsync(session, state);
            await AppendAsync(writer, content.AsMemory(n * 7, 7));
            state = await writer.CheckpointAsync(None);
            Assert.InRange(S3StagingState.Parse(state.Backend)!.Pieces.Count, 1, S3StagingWriter.MaxPieces);
        }

        await using var last = await OpenAsync(session, state);
        Assert.Equal(content, await _store.ReadAsync(await last.CommitAsync(None)));
    }

    private static byte[] Content(int length)
    {
        var bytes = new byte[length];
        new Random(9).NextBytes(bytes);
        return bytes;
    }

    private static async Task AppendAsync(IStagingWriter writer, ReadOnlyMemory<byte> bytes) =>
        await writer.AppendAsync(PipeReader.Create(new MemoryStream(bytes.ToArray())), None);

    private async Task<(Guid Session, StagingState State)> CreateAsync()
    {
        var session = Guid.CreateVersion7();
        return (session, await _store.Staging.CreateAsync(session, DigestAlgorithm.Sha256, None));
    }

    private async Task<IStagingWriter> OpenAsync(Guid session, StagingState state) =>
        (await _store.Staging.OpenAsync(session, _ => new(state), None))!;
}
