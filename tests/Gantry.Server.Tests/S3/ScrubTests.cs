using Amazon.S3.Model;
using Gantry.Core.Scrub;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;
using S3Bucket = Gantry.TestKit.S3Bucket;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.S3;

/// <summary>Scrubs of blobs that lie in a real S3.</summary>
[Trait("Speed", "Slow")]
public sealed class ScrubTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private S3Bucket _bucket = null!;
    private RegistryServer _server = null!;
    private HttpClient _client = null!;

    private BlobScrub Scrub => _server.Services.GetRequiredService<BlobScrub>();

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(70_000_000)]
    public async Task Scrub_OfASoundBlob_ReadsItToItsEnd(int length)
    {
        foreach (var algorithm in Enum.GetValues<DigestAlgorithm>())
        {
            var digest = await _client.PushBlobAsync("a/b", NewContent(length), algorithm);
            Assert.Equal(new ScrubResult(digest, ScrubOutcome.Good), await Scrub.CheckAsync(digest, None));
        }
    }

    [Theory]
    [InlineData("other bytes")]
    [InlineData("fewer")]
    [InlineData("gone")]
    public async Task Scrub_OfAnObjectThatIsNotWhatItWas_QuarantinesUntilAPush(string what)
    {
        var content = NewContent(300_000);
        var digest = await _client.PushBlobAsync("a/b", content);
        var location = await _server.QueryAsync<string>("SELECT location FROM blobs WHERE digest = $1", digest.ToString());
        using var s3 = _bucket.Connect();
        if (what == "gone") await s3.DeleteObjectAsync(_bucket.Name, location);
        else await s3.PutObjectAsync(new PutObjectRequest
        {
            BucketName = _bucket.Name, Key = location, InputStream = new MemoryStream(NewContent(what == "fewer" ? 299_999 : 300_000)),
        });

        Assert.Equal(ScrubOutcome.Rotten, (await Scrub.CheckAsync(digest, None)).Outcome);

        using var hidden = await _client.GetAsync($"/v2/a/b/blobs/{digest}");
        Assert.Equal(System.Net.HttpStatusCode.NotFound, hidden.StatusCode);
        await _client.PushBlobAsync("a/b", content);
        Assert.Equal(content, await _client.GetByteArrayAsync($"/v2/a/b/blobs/{digest}"));
        Assert.Equal(ScrubOutcome.Good, (await Scrub.CheckAsync(digest, None)).Outcome);
    }

    [Fact]
    public async Task ABucketThatIsAway_QuarantinesNothing()
    {
        var digest = await _client.PushBlobAsync("a/b", NewContent(1000));
        using var s3 = _bucket.Connect();
        foreach (var key in (await _bucket.ListAsync()).Keys) await s3.DeleteObjectAsync(_bucket.Name, key);
        await s3.DeleteBucketAsync(_bucket.Name);

        Assert.Equal(ScrubOutcome.PutOff, (await Scrub.CheckAsync(digest, None)).Outcome);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await _client.HeadBlobAsync("a/b", digest)).StatusCode);
    }

    public async ValueTask InitializeAsync()
    {
        _bucket = await S3Server.CreateBucketAsync();
        _server = await RegistryServer.StartAsync([.. TestBackend.Settings(_bucket), "Scrub:Enabled=false", "Scrub:BytesPerSecond=1099511627776"]);
        _client = _server.Client();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }
}
