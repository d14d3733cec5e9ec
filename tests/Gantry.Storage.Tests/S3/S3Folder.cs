using Gantry.Storage.S3;
using Gantry.TestKit;

namespace Gantry.Storage.Tests.S3;

/// <summary>A bucket of its own on the tests' S3.</summary>
public class S3Folder : IAsyncLifetime
{
    private readonly List<S3Connection> _connections = [];

    public S3Bucket Bucket { get; private set; } = null!;

    public S3Options Options => new()
    {
        Endpoint = Bucket.Endpoint.OriginalString, Bucket = Bucket.Name, AccessKey = Bucket.AccessKey, SecretKey = Bucket.SecretKey,
        ForcePathStyle = true, Prefix = "registry/",
    };

    /// <summary>How large parts are.</summary>
    protected virtual long PartBytes => 8 << 20;

    public async ValueTask InitializeAsync() => Bucket = await S3Server.CreateBucketAsync();

    public StorageConnection Connect() => Connect(Options);

    public StorageConnection Connect(S3Options options)
    {
        var connection = S3Connection.Open(options, new PartSchedule(PartBytes, options.EqualParts));
        lock (_connections) _connections.Add(connection);
        return new StorageConnection(new S3UploadStaging(connection), new S3BlobStore(connection));
    }

    public ValueTask DisposeAsync()
    {
        foreach (var connection in _connections) connection.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>With parts so small that a megabyte has several.</summary>
public sealed class SmallPartsFolder : S3Folder
{
    protected override long PartBytes => 2 * S3Server.MinPartBytes;
}
