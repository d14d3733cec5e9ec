using System.Net;
using Gantry.Oci;
using Gantry.Storage;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>An upload outlives the process that began it, and whatever is lost but its bytes.</summary>
[Trait("Protocol", "D5.79")]
public sealed class UploadsResumeTests(RegistryFixture registry)
{
    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData("", DigestAlgorithm.Sha256)]
    [InlineData("?digest-algorithm=sha512", DigestAlgorithm.Sha512)]
    [InlineData("", DigestAlgorithm.Sha512)]
    public async Task Upload_GoesOnAfterARestart(string start, DigestAlgorithm algorithm)
    {
        var content = NewContent(700_000);
        await using var server = await RegistryServer.StartAsync();
        string upload;
        using (var before = server.Client())
        {
            using var post = await before.PostAsync($"/v2/a/b/blobs/uploads/{start}", null);
            upload = post.Header("Location");
            // No multiple of a hash block's length: the state holds a part of one.
            (await before.SendChunkAsync(upload, content[..333_333])).Dispose();
        }

        await server.RestartAsync();

        using var client = server.Client();
        Assert.Equal("0-333332", await client.RangeOfAsync(upload));
        using var patch = await client.SendChunkAsync(upload, content[333_333..500_000], "333333-499999");
        Assert.Equal((HttpStatusCode.Accepted, "0-499999"), (patch.StatusCode, patch.Header("Range")));
        await server.RestartAsync();
        using var last = server.Client();
        using var put = await last.CloseAsync(upload, Digest.Of(content, algorithm), content[500_000..]);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(content, await last.GetByteArrayAsync(put.Header("Location")));
    }

    [Fact]
    public async Task Restart_WhileAPatchRuns_LosesNothingThatWasAcknowledged()
    {
        var content = NewContent(3 * VisibleBytes);
        await using var server = await RegistryServer.StartAsync("Server:ShutdownTimeout=00:00:00.5");
        string upload;
        using (var before = server.Client())
        {
            upload = await before.StartUploadAsync("a");
            (await before.SendChunkAsync(upload, content[..1000])).Dispose();
        }

        await using (var connection = await RawConnection.OpenAsync(server.Address))
        {
            await connection.SendAsync(RawConnection.Head("PATCH", upload, "Transfer-Encoding: chunked"));
            await connection.SendChunkAsync(content.AsMemory(1000, VisibleBytes));
            await UntilAsync(async () => await server.StagedBytesAsync(upload) > 1000, "staged bytes");
            await server.RestartAsync();
        }

        using var client = server.Client();
        var next = int.Parse((await client.RangeOfAsync(upload))["0-".Length..]) + 1;
        Assert.InRange(next, 1000, 1000 + VisibleBytes);
        using var put = await client.CloseAsync(upload, Digest.Of(content), content[next..]);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Fact]
    public async Task HashState_IsTakenUpFromTheRow()
    {
        // Another upload's state of the same length in this one's row: the digest then is the other's, if and only if
        // the state is used and no byte read back.
        var (mine, other, rest) = (NewContent(100_001), NewContent(100_001), NewContent(50));
        var uploads = new List<string>();
        foreach (var content in new[] { mine, other })
        {
            uploads.Add(await Client.StartUploadAsync(_repository));
            (await Client.SendChunkAsync(uploads[^1], content)).Dispose();
        }

        await registry.Server.QueryAsync<object>(
            "UPDATE upload_sessions SET hash_state = (SELECT hash_state FROM upload_sessions WHERE id = $2) WHERE id = $1",
            SessionId(uploads[0]), SessionId(uploads[1]));

        using var put = await Client.CloseAsync(uploads[0], Digest.Of([.. mine, .. rest]), rest);
        Assert.Equal((HttpStatusCode.BadRequest, "DIGEST_INVALID"), (put.StatusCode, await put.ErrorCodeAsync()));
        Assert.Contains(Digest.Of([.. other, .. rest]).ToString(), await put.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        (await Client.DeleteAsync(uploads[0])).Dispose();
    }

    [Theory]
    [InlineData("NULL", DigestAlgorithm.Sha256)]
    [InlineData("NULL", DigestAlgorithm.Sha512)]
    [InlineData("''::bytea", DigestAlgorithm.Sha256)]
    [InlineData("'\\x00'::bytea || substring(hash_state FROM 2)", DigestAlgorithm.Sha256)]
    [InlineData("substring(hash_state FROM 1 FOR 50)", DigestAlgorithm.Sha256)]
    [InlineData("decode(repeat('ff', length(hash_state)), 'hex')", DigestAlgorithm.Sha256)]
    [InlineData("set_byte(hash_state, 34, 255)", DigestAlgorithm.Sha256)]
    public async Task HashState_LostOrUnreadable_CostsAReadAndNoMore(string state, DigestAlgorithm algorithm)
    {
        var content = NewContent(400_000);
        var upload = await Client.StartUploadAsync(_repository);
        (await Client.SendChunkAsync(upload, content[..150_000])).Dispose();
        await registry.Server.QueryAsync<object>(
            $"UPDATE upload_sessions SET hash_state = {state} WHERE id = $1", SessionId(upload));
        (await Client.SendChunkAsync(upload, content[150_000..300_000])).Dispose();

        using var put = await Client.CloseAsync(upload, Digest.Of(content, algorithm), content[300_000..]);

        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(content, await Client.GetByteArrayAsync(put.Header("Location")));
    }

    [Fact]
    public async Task BytesNeverAcknowledged_AreCutOff()
    {
        var content = NewContent(2000);
        var upload = await Client.StartUploadAsync(_repository);
        (await Client.SendChunkAsync(upload, content[..1000])).Dispose();
        // As a crash leaves it between bytes that are durable and the row that says so.
        await registry.Server.QueryAsync<object>("CREATE TABLE IF NOT EXISTS before_a_crash AS SELECT * FROM upload_sessions WHERE false");
        await registry.Server.QueryAsync<object>("INSERT INTO before_a_crash SELECT * FROM upload_sessions WHERE id = $1", SessionId(upload));
        (await Client.SendChunkAsync(upload, NewContent(500))).Dispose();
        await registry.Server.QueryAsync<object>(
            """
            UPDATE upload_sessions s SET staging_offset = b.staging_offset, hash_state = b.hash_state, backend_state = b.backend_state
            FROM before_a_crash b WHERE b.id = s.id AND s.id = $1
            """, SessionId(upload));
        Assert.Equal("0-999", await Client.RangeOfAsync(upload));

        using var put = await Client.CloseAsync(upload, Digest.Of(content), content[1000..]);

        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(content, await Client.GetByteArrayAsync(put.Header("Location")));
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("PUT")]
    public async Task BytesThatAreGone_EndTheUploadAndCommitNothing(string method)
    {
        var content = NewContent(2000);
        var upload = await Client.StartUploadAsync(_repository);
        (await Client.SendChunkAsync(upload, content[..1000])).Dispose();
        await registry.Server.Services.GetRequiredService<IUploadStaging>().DiscardAsync(SessionId(upload), Leftovers.Staging, CancellationToken.None);

        if (method == "PATCH")
        {
            // A store whose pieces lie apart misses one of them at the close only.
            using var patch = await Client.SendChunkAsync(upload, content[1000..]);
            Assert.Equal(TestBackend.IsS3 ? HttpStatusCode.Accepted : HttpStatusCode.NotFound, patch.StatusCode);
        }

        using var answer = await Client.CloseAsync(upload, Digest.Of(content), method == "PUT" ? content[1000..] : []);

        Assert.Equal((HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN"), (answer.StatusCode, await answer.ErrorCodeAsync()));
        using var head = await Client.HeadBlobAsync(_repository, Digest.Of(content));
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
    }
}
