using System.Net;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>Several at once, connections that are cut, answers that are lost.</summary>
public sealed class UploadsRaceTests(RegistryFixture registry)
{
    private static readonly int Visible = VisibleBytes;

    /// <summary>What of these a store has written for sure.</summary>
    private static readonly int Written = Visible - 256 * 1024;

    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData("PATCH")]
    [InlineData("PUT")]
    [Trait("Protocol", "D2.22")]
    public async Task SecondWriter_Is416WithTheDurableRange_AndTheFirstGoesOn(string method)
    {
        var content = NewContent(1000 + Visible);
        var upload = await Client.StartUploadAsync(_repository);
        (await Client.SendChunkAsync(upload, content[..1000])).Dispose();
        await using var first = await BeginPatchAsync(upload, content.Length - 1000);
        await first.SendAsync(content.AsMemory(1000, Visible / 2));
        await registry.Server.UntilWrittenAsync(upload);

        using var second = method == "PUT"
            ? await Client.CloseAsync(upload, Digest.Of(content), content[1000..])
            : await Client.SendChunkAsync(upload, content[1000..]);
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, second.StatusCode);
        Assert.Equal(("0-999", upload), (second.Header("Range"), second.Header("Location")));
        Assert.Equal("BLOB_UPLOAD_INVALID", await second.ErrorCodeAsync());
        Assert.Equal("0-999", await Client.RangeOfAsync(upload));

        await first.SendAsync(content.AsMemory(1000 + Visible / 2));
        var answer = await first.ReadAsync();
        Assert.Equal((202, $"0-{content.Length - 1}"), (answer.Status, answer.Header("Range")));
        using var put = await Client.CloseAsync(upload, Digest.Of(content));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Protocol", "D2.22")]
    public async Task Patch_CutInItsMiddle_KeepsWhatArrivedAndTheUploadGoesOn(bool chunked)
    {
        var content = NewContent(3 * Visible);
        var upload = await Client.StartUploadAsync(_repository);
        await using (var connection = await BeginPatchAsync(upload, chunked ? null : content.Length))
        {
            if (chunked) await connection.SendChunkAsync(content.AsMemory(0, Visible));
            else await connection.SendAsync(content.AsMemory(0, Visible));
            await GrowsAsync(upload, Written);
            connection.Reset();
        }

        await UntilAsync(async () => await Client.RangeOfAsync(upload) != "0-0", "a durable range");
        var last = int.Parse((await Client.RangeOfAsync(upload))["0-".Length..]);
        Assert.InRange(last + 1, Written, Visible);
        using var patch = await Client.SendChunkAsync(upload, content[(last + 1)..], $"{last + 1}-{content.Length - 1}");
        Assert.Equal(HttpStatusCode.Accepted, patch.StatusCode);
        using var put = await Client.CloseAsync(upload, Digest.Of(content));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Fact]
    [Trait("Protocol", "D2.26")]
    public async Task Put_CutInItsMiddle_CommitsNothingAndCanBeSentAgainAsItWas()
    {
        var content = NewContent(3 * Visible);
        var digest = Digest.Of(content);
        var upload = await Client.StartUploadAsync(_repository);
        await using (var connection = await RawConnection.OpenAsync(registry.Server.Address))
        {
            await connection.SendAsync(Head("PUT", RegistryClient.WithDigest(upload, digest), content.Length));
            await connection.SendAsync(content.AsMemory(0, Visible));
            await GrowsAsync(upload, Written);
            connection.EndSending();
        }

        using var head = await Client.HeadBlobAsync(_repository, digest);
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
        Assert.Equal("0-0", await Client.RangeOfAsync(upload));

        // 416 as long as the server has not noticed that the other connection is gone.
        await UntilAsync(async () =>
        {
            using var put = await Client.CloseAsync(upload, digest, content);
            Assert.Contains(put.StatusCode, (HttpStatusCode[])[HttpStatusCode.Created, HttpStatusCode.RequestedRangeNotSatisfiable]);
            return put.StatusCode == HttpStatusCode.Created;
        }, "a close sent again");
    }

    [Fact]
    [Trait("Protocol", "D2.25")]
    public async Task Delete_WhileAPatchRuns_EndsTheUploadForBoth()
    {
        var content = NewContent(2 * Visible);
        var upload = await Client.StartUploadAsync(_repository);
        await using var patch = await BeginPatchAsync(upload, content.Length);
        await patch.SendAsync(content.AsMemory(0, Visible));
        await GrowsAsync(upload, 1);

        using var delete = await Client.DeleteAsync(upload);
        Assert.Equal(HttpStatusCode.NoContent, delete.StatusCode);

        await patch.SendAsync(content.AsMemory(Visible));
        Assert.Equal(404, (await patch.ReadAsync()).Status);
        using var put = await Client.CloseAsync(upload, Digest.Of(content), content);
        Assert.Equal((HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN"), (put.StatusCode, await put.ErrorCodeAsync()));
        Assert.False(await registry.Server.IsStagedAsync(upload));
        Assert.False(await registry.Server.IsCommittedAsync(upload));
    }

    [Fact]
    [Trait("Protocol", "D2.29")]
    public async Task EightUploadsOfOneDigest_AllSucceedAndOneCopyIsKept()
    {
        var content = NewContent(200_000);
        var digest = Digest.Of(content);
        var uploads = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            // Half in one repository, half in another.
            uploads.Add(await Client.StartUploadAsync(i % 2 == 0 ? _repository : _repository + "/other"));
            (await Client.SendChunkAsync(uploads[i], content)).Dispose();
        }

        var puts = await Task.WhenAll(uploads.Select(upload => Client.CloseAsync(upload, digest)));

        Assert.All(puts, put => Assert.Equal(HttpStatusCode.Created, put.StatusCode));
        await AssertOneCopyAsync(uploads, digest);
        foreach (var repository in new[] { _repository, _repository + "/other" })
            Assert.Equal(content, await Client.GetByteArrayAsync($"/v2/{repository}/blobs/{digest}"));
    }

    [Fact]
    [Trait("Protocol", "D2.29")]
    public async Task EightClosesOfOneUpload_CommitItOnceAndNoneFailsForGood()
    {
        var content = NewContent(200_000);
        var digest = Digest.Of(content);
        var upload = await Client.StartUploadAsync(_repository);
        (await Client.SendChunkAsync(upload, content)).Dispose();

        var puts = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Client.CloseAsync(upload, digest)));

        // Whoever came while another was at work may ask again.
        Assert.Contains(puts, put => put.StatusCode == HttpStatusCode.Created);
        Assert.All(puts, put => Assert.Contains(put.StatusCode,
            new[] { HttpStatusCode.Created, HttpStatusCode.RequestedRangeNotSatisfiable }));
        using var again = await Client.CloseAsync(upload, digest);
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        await AssertOneCopyAsync([upload], digest);
    }

    [Fact]
    [Trait("Protocol", "D2.26")]
    public async Task Put_AgainAfterItsAnswerWasLost_Is201()
    {
        var content = NewContent(50_000);
        var digest = Digest.Of(content);
        var upload = await Client.StartUploadAsync(_repository);
        await using (var connection = await RawConnection.OpenAsync(registry.Server.Address))
        {
            await connection.SendAsync(Head("PUT", RegistryClient.WithDigest(upload, digest), content.Length));
            await connection.SendAsync(content);
            await connection.AnswersWithinAsync(TimeSpan.FromSeconds(30));
        }

        foreach (var body in new[] { content, [] })
        {
            using var again = await Client.CloseAsync(upload, digest, body);
            Assert.Equal((HttpStatusCode.Created, digest.ToString()), (again.StatusCode, again.Header("Docker-Content-Digest")));
        }

        using var other = await Client.CloseAsync(upload, Digest.Of(NewContent(5)));
        Assert.Equal((HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN"), (other.StatusCode, await other.ErrorCodeAsync()));
        using var elsewhere = await Client.CloseAsync(upload.Replace(_repository, _repository + "/other", StringComparison.Ordinal), digest);
        Assert.Equal((HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN"), (elsewhere.StatusCode, await elsewhere.ErrorCodeAsync()));
    }

    [Fact]
    [Trait("Protocol", "D2.24")]
    public async Task Upload_OfAnotherRepository_IsUnknownAndUnharmed()
    {
        var content = NewContent(1000);
        var upload = await Client.StartUploadAsync(_repository);
        var elsewhere = upload.Replace(_repository, _repository + "/other", StringComparison.Ordinal);
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Patch, HttpMethod.Put, HttpMethod.Delete })
        {
            using var request = new HttpRequestMessage(method, RegistryClient.WithDigest(elsewhere, Digest.Of(content)))
            {
                Content = method == HttpMethod.Get ? null : RegistryClient.Bytes(content),
            };
            using var answer = await Client.SendAsync(request);
            Assert.Equal((HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN"), (answer.StatusCode, await answer.ErrorCodeAsync()));
        }

        using var put = await Client.CloseAsync(upload, Digest.Of(content), content);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    private async Task AssertOneCopyAsync(List<string> uploads, Digest digest)
    {
        var ids = uploads.ConvertAll(SessionId).ToArray();
        // The losers' bytes go after the winner's commit; the clean-up worker may be the one that does it.
        await UntilAsync(async () => await registry.Server.QueryAsync<long>(
            "SELECT count(*) FROM doomed_locations WHERE session_id = ANY ($1)", ids) == 0, "no doomed location");
        Assert.Equal(0L, await registry.Server.QueryAsync<long>("SELECT count(*) FROM upload_sessions WHERE id = ANY ($1)", ids));
        var kept = new List<string>();
        foreach (var upload in uploads)
        {
            Assert.False(await registry.Server.IsStagedAsync(upload));
            if (await registry.Server.IsCommittedAsync(upload)) kept.Add(upload);
        }

        Assert.Contains(SessionId(Assert.Single(kept)).ToString("N"),
            await registry.Server.QueryAsync<string>("SELECT location FROM blobs WHERE digest = $1", digest.ToString()),
            StringComparison.Ordinal);
    }

    private Task GrowsAsync(string upload, long length) => UntilAsync(
        async () => await registry.Server.StagedBytesAsync(upload) >= length, $"{length} staged bytes");

    private async Task<RawConnection> BeginPatchAsync(string upload, int? length)
    {
        var connection = await RawConnection.OpenAsync(registry.Server.Address);
        await connection.SendAsync(Head("PATCH", upload, length));
        return connection;
    }

    private static string Head(string method, string target, int? length) => RawConnection.Head(method, target,
        length is null ? "Transfer-Encoding: chunked" : $"Content-Length: {length}");
}
