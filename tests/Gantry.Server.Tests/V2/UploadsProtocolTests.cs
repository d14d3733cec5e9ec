using System.Net;
using System.Text;
using Gantry.Core.Access;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>The ways a blob comes in, one request after the other (distribution-spec, "Pushing blobs").</summary>
public sealed class UploadsProtocolTests(RegistryFixture registry)
{
    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData("/v2/{0}/blobs/uploads/")]
    [InlineData("/v2/{0}/blobs/uploads")]
    [Trait("Protocol", "D2.16")]
    public async Task Post_WithEmptyJsonBody_StartsAnUpload(string path)
    {
        using var post = await Client.PostAsync(string.Format(path, _repository), RegistryClient.Bytes([], "application/json"));

        Assert.Equal(HttpStatusCode.Accepted, post.StatusCode);
        Assert.Equal("0-0", post.Header("Range"));
        Assert.Equal("0", post.Header("Content-Length"));
        Assert.Equal($"/v2/{_repository}/blobs/uploads/{post.Header("Docker-Upload-UUID")}", post.Header("Location"));
    }

    [Fact]
    [Trait("Protocol", "D2.17")]
    public async Task Location_IsRelative_SoSchemeHostAndPortAreTheClients()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/{_repository}/blobs/uploads/");
        request.Headers.Host = "elsewhere.example:8443";
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "attacker.example");
        using var post = await Client.SendAsync(request);
        var upload = post.Header("Location");
        Assert.StartsWith($"/v2/{_repository}/blobs/uploads/", upload, StringComparison.Ordinal);

        var content = NewContent(10);
        using var patch = await Client.SendChunkAsync(upload, content);
        Assert.Equal(upload, patch.Header("Location"));
        using var status = await Client.GetAsync(upload);
        Assert.Equal(upload, status.Header("Location"));
        using var put = await Client.CloseAsync(upload, Digest.Of(content));
        Assert.Equal($"/v2/{_repository}/blobs/{Digest.Of(content)}", put.Header("Location"));
    }

    [Theory]
    [InlineData("?digest={0}")]
    [InlineData("?&digest={0}")]
    [InlineData("?state=a%2Fb%3D&digest={0}")]
    [InlineData("?digest={0}&state=x&flag")]
    [Trait("Protocol", "D2.18")]
    public async Task Put_WithAnyQueryAroundTheDigest_Closes(string query)
    {
        var content = NewContent(100);
        var upload = await Client.StartUploadAsync(_repository);

        using var put = await Client.PutAsync(upload + string.Format(query, Digest.Of(content)), RegistryClient.Bytes(content));

        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Theory]
    [InlineData("%3A")]
    [InlineData(":")]
    [Trait("Protocol", "D2.18")]
    public async Task Put_WithEscapedDigest_Closes(string colon)
    {
        var content = NewContent(100);
        var upload = await Client.StartUploadAsync(_repository);

        using var put = await Client.PutAsync($"{upload}?digest=sha256{colon}{Digest.Of(content).Hex}", RegistryClient.Bytes(content));

        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    [Trait("Protocol", "D2.19")]
    public async Task Put_WithTheWholeBlob_CommitsIt(DigestAlgorithm algorithm)
    {
        var content = NewContent(100_000);
        var digest = Digest.Of(content, algorithm);
        var upload = await Client.StartUploadAsync(_repository);

        using var put = await Client.CloseAsync(upload, digest, content);

        await AssertCommittedAsync(put, digest, content);
    }

    [Fact]
    [Trait("Protocol", "D2.20")]
    public async Task Patch_ChunkedWithoutAnyLength_StatesHowFarItGot()
    {
        var content = NewContent(700_001);
        var upload = await Client.StartUploadAsync(_repository);
        using var request = new HttpRequestMessage(HttpMethod.Patch, upload) { Content = RegistryClient.Bytes(content) };
        request.Headers.TransferEncodingChunked = true;

        using var patch = await Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Accepted, patch.StatusCode);
        Assert.Equal("0-700000", patch.Header("Range"));
        Assert.Equal(upload, patch.Header("Location"));
        Assert.EndsWith(patch.Header("Docker-Upload-UUID"), upload, StringComparison.Ordinal);
        using var put = await Client.CloseAsync(upload, Digest.Of(content));
        await AssertCommittedAsync(put, Digest.Of(content), content);
    }

    [Fact]
    [Trait("Protocol", "D2.21")]
    public async Task Put_EmptyAfterTheWholeBodyByPatch_IsExactly201()
    {
        var content = NewContent(50_000);
        var upload = await Client.StartUploadAsync(_repository);
        using var patch = await Client.SendChunkAsync(upload, content);
        Assert.Equal(HttpStatusCode.Accepted, patch.StatusCode);

        using var put = await Client.CloseAsync(upload, Digest.Of(content));

        Assert.Equal(201, (int)put.StatusCode);
        await AssertCommittedAsync(put, Digest.Of(content), content);
    }

    [Fact]
    [Trait("Protocol", "D2.23")]
    public async Task Patch_InTinyChunks_Works_WhateverMinimumIsNamed()
    {
        var content = NewContent(200);
        using var post = await Client.PostAsync($"/v2/{_repository}/blobs/uploads/", null);
        // A wish: from a part of S3 on no byte is sent twice.
        Assert.Equal(TestBackend.IsS3 ? "8388608" : null, post.RawHeader("OCI-Chunk-Min-Length"));
        var upload = post.Header("Location");
        for (var at = 0; at < content.Length; at++)
        {
            using var patch = await Client.SendChunkAsync(upload, content[at..(at + 1)], $"{at}-{at}");
            Assert.Equal((HttpStatusCode.Accepted, $"0-{at}"), (patch.StatusCode, patch.Header("Range")));
        }

        using var put = await Client.CloseAsync(upload, Digest.Of(content));

        await AssertCommittedAsync(put, Digest.Of(content), content);
    }

    [Fact]
    [Trait("Protocol", "D2.24")]
    public async Task Get_OfAnUpload_StatesLocationAndRange()
    {
        var upload = await Client.StartUploadAsync(_repository);
        // One byte and none look the same in this header; that is what the start says too.
        foreach (var (length, range) in new[] { (0, "0-0"), (1, "0-0"), (999, "0-999") })
        {
            if (length > 0) (await Client.SendChunkAsync(upload, NewContent(length))).Dispose();

            using var status = await Client.GetAsync(upload);

            Assert.Equal(HttpStatusCode.NoContent, status.StatusCode);
            Assert.Equal((range, upload), (status.Header("Range"), status.Header("Location")));
            Assert.EndsWith(status.Header("Docker-Upload-UUID"), upload, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Protocol", "D2.25")]
    public async Task Delete_ByAnAccountThatMayNotDelete_CancelsTheUpload()
    {
        var writer = $"writer-{Guid.NewGuid():N}";
        await registry.Server.CreateAccountAsync(writer, RegistryServer.Password);
        await registry.Server.AddNamespaceAsync(writer);
        await registry.Server.SetRoleAsync(writer, writer, NamespaceRole.Writer);
        using var client = registry.Server.Client(writer);
        var upload = await client.StartUploadAsync($"{writer}/b");
        (await client.SendChunkAsync(upload, NewContent(1000))).Dispose();
        Assert.True(await registry.Server.IsStagedAsync(upload));

        using var delete = await client.DeleteAsync(upload);

        Assert.Equal(HttpStatusCode.NoContent, delete.StatusCode);
        Assert.False(await registry.Server.IsStagedAsync(upload));
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Patch, HttpMethod.Put, HttpMethod.Delete })
        {
            using var request = new HttpRequestMessage(method, RegistryClient.WithDigest(upload, Digest.Of(NewContent(5))));
            using var after = await client.SendAsync(request);
            Assert.Equal((HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN"), (after.StatusCode, await after.ErrorCodeAsync()));
        }
    }

    [Theory]
    [InlineData("", DigestAlgorithm.Sha256)]
    [InlineData("", DigestAlgorithm.Sha512)]
    [InlineData("{}", DigestAlgorithm.Sha256)]
    [InlineData("{}", DigestAlgorithm.Sha512)]
    [Trait("Protocol", "D2.30")]
    public async Task EmptyAndTinyBlobs_GoUpAndDown(string text, DigestAlgorithm algorithm)
    {
        var content = Encoding.UTF8.GetBytes(text);
        var digest = Digest.Of(content, algorithm);
        var upload = await Client.StartUploadAsync(_repository);
        using var put = await Client.CloseAsync(upload, digest, content);
        await AssertCommittedAsync(put, digest, content);

        using var post = await Client.PostAsync($"/v2/{_repository}/blobs/uploads/?digest={digest}", RegistryClient.Bytes(content));
        await AssertCommittedAsync(post, digest, content);
    }

    [Fact]
    [Trait("Protocol", "D2.28")]
    public async Task Head_DirectlyAfter201_FindsTheBlob()
    {
        for (var round = 0; round < 20; round++)
        {
            var content = NewContent(round * 100);
            var digest = await Client.PushBlobAsync(_repository, content);

            using var head = await Client.HeadBlobAsync(_repository, digest);

            Assert.Equal(HttpStatusCode.OK, head.StatusCode);
            Assert.Equal(content.Length, head.Content.Headers.ContentLength);
        }
    }

    private async Task AssertCommittedAsync(HttpResponseMessage answer, Digest digest, byte[] content)
    {
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(digest.ToString(), answer.Header("Docker-Content-Digest"));
        Assert.Equal($"/v2/{_repository}/blobs/{digest}", answer.Header("Location"));
        Assert.Equal(content, await Client.GetByteArrayAsync(answer.Header("Location")));
    }
}
