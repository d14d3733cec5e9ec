using System.Net;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>The whole blob in the POST (distribution-spec, "Single POST").</summary>
[Trait("Protocol", "D2.32")]
public sealed class UploadsSinglePostTests(RegistryFixture registry)
{
    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData(DigestAlgorithm.Sha256, false)]
    [InlineData(DigestAlgorithm.Sha512, false)]
    [InlineData(DigestAlgorithm.Sha256, true)]
    public async Task Post_WithDigestAndBody_CompletesAtOnce(DigestAlgorithm algorithm, bool chunked)
    {
        var content = NewContent(300_000);
        var digest = Digest.Of(content, algorithm);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/{_repository}/blobs/uploads/?digest={digest}")
        {
            Content = RegistryClient.Bytes(content),
        };
        request.Headers.TransferEncodingChunked = chunked;

        using var post = await Client.SendAsync(request);

        Assert.Equal((HttpStatusCode.Created, digest.ToString()), (post.StatusCode, post.Header("Docker-Content-Digest")));
        Assert.Equal(content, await Client.GetByteArrayAsync(post.Header("Location")));
    }

    [Fact]
    [Trait("Protocol", "D2.26")]
    [Trait("Protocol", "D2.33")]
    public async Task Post_WithWrongDigest_CommitsNothingAndKeepsNoUpload()
    {
        var content = NewContent(5000);
        var (right, wrong) = (Digest.Of(content), Digest.Of(NewContent(10)));

        using var post = await Client.PostAsync($"/v2/{_repository}/blobs/uploads/?digest={wrong}", RegistryClient.Bytes(content));

        Assert.Equal((HttpStatusCode.BadRequest, "DIGEST_INVALID"), (post.StatusCode, await post.ErrorCodeAsync()));
        foreach (var digest in new[] { right, wrong })
        {
            using var head = await Client.HeadBlobAsync(_repository, digest);
            Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
        }

        // Its client was never told the upload's id, so nobody could go on with it.
        Assert.Equal(0L, await SessionsAsync());
    }

    [Fact]
    [Trait("Protocol", "D2.33")]
    public async Task Post_WithDigestCutInItsMiddle_KeepsNoUpload()
    {
        var content = NewContent(2_000_000);
        await using (var connection = await RawConnection.OpenAsync(registry.Server.Address))
        {
            await connection.SendAsync(RawConnection.Head(
                "POST", $"/v2/{_repository}/blobs/uploads/?digest={Digest.Of(content)}", $"Content-Length: {content.Length}"));
            await connection.SendAsync(content.AsMemory(0, 600 * 1024));
            await UntilAsync(async () => await SessionsAsync() == 1, "a session");
            connection.Reset();
        }

        await UntilAsync(async () => await SessionsAsync() == 0, "the session's end");
    }

    private Task<long> SessionsAsync() => registry.Server.QueryAsync<long>(
        "SELECT count(*) FROM upload_sessions WHERE repository = $1", _repository);
}
