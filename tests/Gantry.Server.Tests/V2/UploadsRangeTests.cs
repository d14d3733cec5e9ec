using System.Net;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>Chunks in their order and out of it; lengths and digests that are not what was said.</summary>
public sealed class UploadsRangeTests(RegistryFixture registry)
{
    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData("{0}-{1}")]
    [InlineData("bytes {0}-{1}")]
    [InlineData("bytes {0}-{1}/*")]
    [InlineData("bytes {0}-{1}/3000")]
    [Trait("Protocol", "D2.22")]
    public async Task Chunks_WithAnyFormOfContentRange_AreTaken(string form)
    {
        var content = NewContent(3000);
        var upload = await Client.StartUploadAsync(_repository);
        for (var at = 0; at < 2000; at += 1000)
        {
            using var patch = await Client.SendChunkAsync(upload, content[at..(at + 1000)], string.Format(form, at, at + 999));
            Assert.Equal(HttpStatusCode.Accepted, patch.StatusCode);
        }

        using var put = await Client.CloseAsync(upload, Digest.Of(content), content[2000..], string.Format(form, 2000, 2999));

        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Theory]
    [InlineData("PATCH", 0, "1000-1999", "0-0")]
    [InlineData("PATCH", 1000, "0-999", "0-999")]
    [InlineData("PATCH", 1000, "999-1998", "0-999")]
    [InlineData("PATCH", 1000, "1001-2000", "0-999")]
    [InlineData("PUT", 0, "1000-1999", "0-0")]
    [InlineData("PUT", 1000, "0-999", "0-999")]
    [InlineData("PUT", 1000, "2000-2999", "0-999")]
    [Trait("Protocol", "D2.22")]
    public async Task Chunk_OutOfOrder_Is416WithTheRangeAndHarmsNothing(string method, int before, string range, string stated)
    {
        var content = NewContent(2000);
        var upload = await Client.StartUploadAsync(_repository);
        if (before > 0) (await Client.SendChunkAsync(upload, content[..before])).Dispose();

        using var wrong = method == "PUT"
            ? await Client.CloseAsync(upload, Digest.Of(content), NewContent(1000), range)
            : await Client.SendChunkAsync(upload, NewContent(1000), range);

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, wrong.StatusCode);
        Assert.Equal((stated, upload), (wrong.Header("Range"), wrong.Header("Location")));
        Assert.Equal("BLOB_UPLOAD_INVALID", await wrong.ErrorCodeAsync());
        Assert.Equal(stated, await Client.RangeOfAsync(upload));
        using var put = await Client.CloseAsync(upload, Digest.Of(content), content[before..], $"{before}-1999");
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("5-4")]
    [InlineData("-5")]
    [InlineData("0-")]
    [InlineData("bytes */1000")]
    [InlineData("items 0-999")]
    [InlineData("0-99999999999999999999")]
    [InlineData("0-999, 1000-1999")]
    [Trait("Protocol", "D2.22")]
    public async Task ContentRange_ThatIsNone_IsAnErrorAndTakesNoByte(string range)
    {
        var upload = await Client.StartUploadAsync(_repository);

        using var patch = await Client.SendChunkAsync(upload, NewContent(1000), range);

        Assert.Equal((HttpStatusCode.BadRequest, "BLOB_UPLOAD_INVALID"), (patch.StatusCode, await patch.ErrorCodeAsync()));
        Assert.Equal("0-0", await Client.RangeOfAsync(upload));
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("PUT")]
    [Trait("Protocol", "D2.26")]
    public async Task ContentLength_OtherThanTheContentRange_IsSizeInvalidAndTakesNoByte(string method)
    {
        var content = NewContent(1000);
        var upload = await Client.StartUploadAsync(_repository);

        using var wrong = method == "PUT"
            ? await Client.CloseAsync(upload, Digest.Of(content), content, "0-1999")
            : await Client.SendChunkAsync(upload, content, "0-1999");

        Assert.Equal((HttpStatusCode.BadRequest, "SIZE_INVALID"), (wrong.StatusCode, await wrong.ErrorCodeAsync()));
        Assert.Equal("0-0", await Client.RangeOfAsync(upload));
        using var put = await Client.CloseAsync(upload, Digest.Of(content), content, "0-999");
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Fact]
    [Trait("Protocol", "D2.26")]
    public async Task ChunkedPut_OtherThanItsContentRange_IsSizeInvalidAndCommitsNothing()
    {
        var content = NewContent(1000);
        var upload = await Client.StartUploadAsync(_repository);
        using var request = new HttpRequestMessage(HttpMethod.Put, RegistryClient.WithDigest(upload, Digest.Of(content)))
        {
            Content = RegistryClient.Bytes(content),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Range", "0-1999");
        request.Headers.TransferEncodingChunked = true;

        using var put = await Client.SendAsync(request);

        Assert.Equal((HttpStatusCode.BadRequest, "SIZE_INVALID"), (put.StatusCode, await put.ErrorCodeAsync()));
        using var head = await Client.HeadBlobAsync(_repository, Digest.Of(content));
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?digest=")]
    [InlineData("?digest=sha256:abc")]
    [InlineData("?digest=md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("?digest=sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("?digest=..%2F..%2Fetc%2Fpasswd")]
    [Trait("Protocol", "D2.26")]
    public async Task Put_WithoutAProperDigest_IsDigestInvalidAndLeavesTheUpload(string query)
    {
        var upload = await Client.StartUploadAsync(_repository);

        using var put = await Client.PutAsync(upload + query, RegistryClient.Bytes([]));

        Assert.Equal((HttpStatusCode.BadRequest, "DIGEST_INVALID"), (put.StatusCode, await put.ErrorCodeAsync()));
        Assert.Equal("0-0", await Client.RangeOfAsync(upload));
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha256, false)]
    [InlineData(DigestAlgorithm.Sha256, true)]
    [InlineData(DigestAlgorithm.Sha512, false)]
    [Trait("Protocol", "D2.26")]
    public async Task Put_WithWrongDigest_CommitsNothing(DigestAlgorithm algorithm, bool byPatch)
    {
        var content = NewContent(5000);
        var (right, wrong) = (Digest.Of(content, algorithm), Digest.Of(NewContent(10), algorithm));
        var upload = await Client.StartUploadAsync(_repository);
        if (byPatch) (await Client.SendChunkAsync(upload, content)).Dispose();

        using var put = await Client.CloseAsync(upload, wrong, byPatch ? [] : content);

        Assert.Equal((HttpStatusCode.BadRequest, "DIGEST_INVALID"), (put.StatusCode, await put.ErrorCodeAsync()));
        await AssertInvisibleAsync(right, wrong);
        Assert.False(await registry.Server.IsCommittedAsync(upload));

        // The upload stands where it stood: the same close with the right digest succeeds.
        Assert.Equal(byPatch ? "0-4999" : "0-0", await Client.RangeOfAsync(upload));
        using var again = await Client.CloseAsync(upload, right, byPatch ? [] : content);
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
    }

    [Fact]
    [Trait("Protocol", "D2.26")]
    public async Task Put_WithSha512OnASha256Session_CommitsUnderSha512()
    {
        var content = NewContent(400_000);
        var digest = Digest.Of(content, DigestAlgorithm.Sha512);
        var upload = await Client.StartUploadAsync(_repository);
        Assert.Equal("sha256", await registry.Server.QueryAsync<string>(
            "SELECT algorithm FROM upload_sessions WHERE id = $1", SessionId(upload)));
        (await Client.SendChunkAsync(upload, content[..300_000])).Dispose();

        using var put = await Client.CloseAsync(upload, digest, content[300_000..]);

        Assert.Equal((HttpStatusCode.Created, digest.ToString()), (put.StatusCode, put.Header("Docker-Content-Digest")));
        Assert.Equal(content, await Client.GetByteArrayAsync($"/v2/{_repository}/blobs/{digest}"));
    }

    private async Task AssertInvisibleAsync(params Digest[] digests)
    {
        foreach (var digest in digests)
        {
            using var head = await Client.HeadBlobAsync(_repository, digest);
            Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
            Assert.Equal(0L, await registry.Server.QueryAsync<long>(
                "SELECT count(*) FROM blobs WHERE digest = $1", digest.ToString()));
        }
    }
}
