using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Gantry.Oci;
using Gantry.Storage.S3;
using Gantry.TestKit;

namespace Gantry.Storage.Tests.S3;

/// <summary>Ways to the store: presigned URLs, https with an authority of its own, keys that are wrong, a bucket that is not there.</summary>
public sealed class S3AccessTests(S3Folder folder) : IClassFixture<S3Folder>
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly byte[] Content = [.. Enumerable.Range(0, 100_000).Select(n => (byte)(n * 31))];

    [Fact]
    [Trait("Protocol", "D4.63")]
    public async Task Redirect_IsAUrlThatAnybodyMayGet_WithAnyRange()
    {
        var options = folder.Options;
        options.Redirect = true;
        var store = folder.Connect(options);
        var url = (await store.Blobs.RedirectAsync(await store.CommitAsync(Content), None))!;
        Assert.Equal(folder.Bucket.Endpoint.Authority, url.Authority);
        Assert.Matches("X-Amz-Expires=1(199|20[01])&", url.Query); // rounded by the SDK

        using var client = new HttpClient();
        Assert.Equal(Content, await client.GetByteArrayAsync(url, None));
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Range = new RangeHeaderValue(10, 19) } };
        using var answer = await client.SendAsync(request, None);
        Assert.Equal(HttpStatusCode.PartialContent, answer.StatusCode);
        Assert.Equal(Content[10..20], await answer.Content.ReadAsByteArrayAsync(None));
    }

    [Fact]
    public async Task Redirect_IsSignedForThePublicEndpoint()
    {
        var options = folder.Options;
        (options.Redirect, options.PublicEndpoint) = (true, "https://blobs.example.com");
        var store = folder.Connect(options);
        var url = (await store.Blobs.RedirectAsync(await store.CommitAsync(Content), None))!;
        Assert.Equal("https://blobs.example.com", url.GetLeftPart(UriPartial.Authority));
        Assert.DoesNotContain(folder.Bucket.SecretKey, url.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redirect_WhereItIsOff_IsNull()
    {
        var store = folder.Connect();
        Assert.Null(await store.Blobs.RedirectAsync(await store.CommitAsync(Content), None));
    }

    [Fact]
    public async Task Https_WithTheAuthorityNamed_Works_AndWithoutFails()
    {
        var options = folder.Options;
        (options.Endpoint, options.Retries) = (folder.Bucket.TlsEndpoint.OriginalString, 0);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPemFile(folder.Bucket.AuthorityFile);
        using (var connection = S3Connection.Open(options, trust, TimeProvider.System))
        {
            var store = new StorageConnection(new S3UploadStaging(connection), new S3BlobStore(connection));
            await store.Blobs.ProbeAsync(None);
            Assert.Equal(Content, await store.ReadAsync(await store.CommitAsync(Content)));
        }

        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await folder.Connect(options).Blobs.ProbeAsync(None));
    }

    [Fact]
    public async Task WrongKeys_OrABucketThatIsNotThere_AreFaults_AndNoBlobIsTakenForGone()
    {
        var location = await folder.Connect().CommitAsync(Content);
        foreach (var change in (Action<S3Options>[])[options => options.SecretKey = "wrong", options => options.Bucket = "not-there"])
        {
            var options = folder.Options;
            change(options);
            var store = folder.Connect(options);
            await Assert.ThrowsAsync<StorageUnavailableException>(async () => await store.Blobs.StatAsync(location, None));
            await Assert.ThrowsAsync<StorageUnavailableException>(async () => await store.Blobs.OpenAsync(location, null, None));
            await Assert.ThrowsAsync<StorageUnavailableException>(async () => await store.Blobs.ProbeAsync(None));
            var fault = await Assert.ThrowsAsync<StorageUnavailableException>(() => store.CommitAsync(Content));
            Assert.DoesNotContain(options.SecretKey, fault.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(9_000_000)] // several parts
    public async Task ServerSideEncryption_IsAskedForWithEveryObject(int length)
    {
        var options = folder.Options;
        (options.ServerSideEncryption, options.KmsKeyId, options.Prefix) = ("aws:kms", S3Server.KmsKey, $"encrypted-{length}/");
        var store = folder.Connect(options);
        var content = new byte[length];
        new Random(length).NextBytes(content);
        Assert.Equal(content, await store.ReadAsync(await store.CommitAsync(content)));

        using var client = folder.Bucket.Connect();
        var keys = await folder.Bucket.ListAsync(options.Prefix);
        Assert.NotEmpty(keys);
        foreach (var key in keys.Keys)
        {
            var stored = await client.GetObjectMetadataAsync(folder.Bucket.Name, key, None);
            Assert.Equal(("aws:kms", S3Server.KmsKey), (stored.ServerSideEncryptionMethod.Value, stored.ServerSideEncryptionKeyManagementServiceKeyId));
        }
    }

    [Fact]
    public async Task Probe_LeavesNothing()
    {
        await folder.Connect().Blobs.ProbeAsync(None);
        Assert.Empty(await folder.Bucket.ListAsync("registry/probes/"));
    }

    [Fact]
    public async Task Dispose_OfAWriterThatNobodyKnowsOf_LeavesNoParts()
    {
        using var small = S3Connection.Open(folder.Options, new PartSchedule(S3Server.MinPartBytes, equal: false));
        var staging = new S3UploadStaging(small);
        var session = Guid.CreateVersion7();
        var state = await staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
        await using (var writer = (await staging.OpenAsync(session, _ => new(state), None))!)
            await writer.AppendAsync(PipeReader.Create(new MemoryStream(Content)), None);

        using var client = folder.Bucket.Connect();
        var left = await client.ListMultipartUploadsAsync(new Amazon.S3.Model.ListMultipartUploadsRequest { BucketName = folder.Bucket.Name });
        Assert.DoesNotContain(left.MultipartUploads ?? [], upload => upload.Key.Contains($"{session:N}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Append_PastTheLongestBlob_IsTooLarge()
    {
        using var tiny = S3Connection.Open(folder.Options, new PartSchedule(5, equal: true));
        var staging = new S3UploadStaging(tiny);
        var session = Guid.CreateVersion7();
        var state = new StagingState(0, DigestAlgorithm.Sha256, null, null);
        await using var writer = (await staging.OpenAsync(session, _ => new(state), None))!;
        var fault = await Assert.ThrowsAsync<BlobTooLargeException>(async () =>
            await writer.AppendAsync(PipeReader.Create(new ReadOnlySequence<byte>(Content)), None));
        Assert.Equal(50_000, fault.MaxBytes);
    }
}
