using Gantry.TestKit;

namespace Gantry.Storage.Tests.S3;

/// <summary>The tests' own S3 behaves.</summary>
public sealed class S3ServerTests
{
    [Fact]
    public async Task Bucket_IsTheCallersOwn()
    {
        var (first, second) = (await S3Server.CreateBucketAsync(), await S3Server.CreateBucketAsync());
        using var client = first.Connect();
        await client.PutObjectAsync(new() { BucketName = first.Name, Key = "a/b", ContentBody = "bytes" });

        Assert.Equal(["a/b"], (await first.ListAsync()).Keys);
        Assert.Empty(await second.ListAsync());
    }
}
