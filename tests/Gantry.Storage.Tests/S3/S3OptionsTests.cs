using Gantry.Storage.S3;

namespace Gantry.Storage.Tests.S3;

public sealed class S3OptionsTests
{
    [Fact]
    public void Accepts_ABucketAlone() => Assert.Empty(S3OptionsCheck.FaultsOf(new S3Options { Bucket = "blobs" }));

    [Fact]
    public void Accepts_EverySetting() => Assert.Empty(S3OptionsCheck.FaultsOf(new S3Options
    {
        Endpoint = "https://s3.example.com:9000", PublicEndpoint = "http://10.0.0.1/", Bucket = "some.bucket-1", Prefix = "a/b/",
        AccessKey = "key", SecretKey = "secret", ServerSideEncryption = "aws:kms", KmsKeyId = "arn:aws:kms:x", PartSize = 64,
        BufferBudget = 0, Retries = 0,
    }));

    [Theory]
    [InlineData("Endpoint", "s3.example.com")]
    [InlineData("Endpoint", "https://s3.example.com/bucket")]
    [InlineData("Endpoint", "https://user:word@s3.example.com")]
    [InlineData("Endpoint", "ftp://s3.example.com")]
    [InlineData("PublicEndpoint", "//s3.example.com")]
    [InlineData("Region", " ")]
    [InlineData("Bucket", "")]
    [InlineData("Bucket", "a/b")]
    [InlineData("Prefix", "/a/")]
    [InlineData("Prefix", "a")]
    [InlineData("Prefix", "a/../b/")]
    [InlineData("Prefix", "a//")]
    [InlineData("AccessKey", "key")]
    [InlineData("SecretKey", "secret")]
    [InlineData("ServerSideEncryption", "aes256")]
    [InlineData("KmsKeyId", "key")]
    [InlineData("RedirectLifetime", "00:00:59")]
    [InlineData("RedirectLifetime", "1.00:00:01")]
    [InlineData("PartSize", "4")]
    [InlineData("PartSize", "12")]
    [InlineData("PartSize", "128")]
    [InlineData("BufferBudget", "-1")]
    [InlineData("Retries", "21")]
    [InlineData("Timeout", "00:00:00")]
    [InlineData("MaxConnections", "1")]
    public void Rejects_AndNamesTheSetting(string setting, string value)
    {
        var options = new S3Options { Bucket = "blobs" };
        var property = typeof(S3Options).GetProperty(setting)!;
        property.SetValue(options, property.PropertyType == typeof(TimeSpan) ? TimeSpan.Parse(value, null) : Convert.ChangeType(value, property.PropertyType, null));

        var fault = Assert.Single(S3OptionsCheck.FaultsOf(options));
        Assert.StartsWith($"Storage:S3:{setting} ", fault, StringComparison.Ordinal);
        if (setting == "SecretKey") Assert.DoesNotContain(value, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_EveryFaultAtOnce() => Assert.Equal(4, S3OptionsCheck.FaultsOf(new S3Options
    {
        Endpoint = "nowhere", AccessKey = "key", PartSize = 1,
    }).Count());
}
