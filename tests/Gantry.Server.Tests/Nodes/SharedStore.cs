using System.Security.Cryptography;
using Amazon.S3;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Nodes;

public enum Backend
{
    FileSystem,
    S3,
}

/// <summary>Something in the store.</summary>
/// <param name="Name">As the store has it.</param>
/// <param name="Session">The upload it came from, 32 hex digits.</param>
/// <param name="Location">Null: staging.</param>
internal sealed record Stored(string Name, string Session, string? Location, long Size);

/// <summary>Where several nodes keep their bytes, looked at past all of them.</summary>
internal abstract class SharedStore : IAsyncDisposable
{
    /// <summary>What makes a node keep its bytes here, <c>Section:Key=value</c>.</summary>
    public abstract IReadOnlyList<string> Settings { get; }

    public static async Task<SharedStore> CreateAsync(Backend backend) => backend == Backend.S3
        ? new SharedBucket(await S3Server.CreateBucketAsync())
        : new SharedFolder(Directory.CreateTempSubdirectory("gantry-nodes-store-").FullName) { IsOurs = true };

    /// <summary>Everything, stagings and unfinished multipart uploads too; no probes.</summary>
    public abstract Task<List<Stored>> ListAsync();

    /// <summary>How much of an upload is staged; null where the backend's layout does not tell, -1 where it should and there is none.</summary>
    public virtual long? StagedLength(string session) => null;

    /// <summary>Length and digest of what lies at a location, read from the store itself; null: nothing.</summary>
    /// <param name="location">Of a blob row.</param>
    /// <param name="like">A digest of the algorithm wanted.</param>
    public async Task<(long Size, string Digest)?> DigestAsync(string location, string like)
    {
        await using var stream = await OpenAsync(location);
        if (stream is null) return null;
        using var hash = IncrementalHash.CreateHash(like.StartsWith("sha512", StringComparison.Ordinal) ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        var (buffer, size) = (new byte[64 * 1024], 0L);
        while (await stream.ReadAsync(buffer) is var count and > 0)
        {
            hash.AppendData(buffer.AsSpan(0, count));
            size += count;
        }

        return (size, $"{like.Split(':')[0]}:{Convert.ToHexStringLower(hash.GetHashAndReset())}");
    }

    public abstract ValueTask DisposeAsync();

    protected abstract Task<Stream?> OpenAsync(string location);
}

/// <summary>A folder that all nodes of the machine see.</summary>
internal sealed class SharedFolder(string root) : SharedStore
{
    public bool IsOurs { get; init; }

    public override IReadOnlyList<string> Settings => [$"Storage:FileSystem:Root={root}"];

    public override Task<List<Stored>> ListAsync() => Task.FromResult(List("uploads", isStaging: true).Concat(List("blobs", isStaging: false)).ToList());

    public override long? StagedLength(string session) =>
        new[] { PathOf("uploads", session), PathOf("blobs", session) }
            .Select(path => new FileInfo(path)).FirstOrDefault(file => file.Exists)?.Length ?? -1;

    public override ValueTask DisposeAsync()
    {
        if (IsOurs) Directory.Delete(root, recursive: true);
        return ValueTask.CompletedTask;
    }

    protected override Task<Stream?> OpenAsync(string location)
    {
        var path = Path.Combine(root, location);
        return Task.FromResult<Stream?>(File.Exists(path) ? File.OpenRead(path) : null);
    }

    private string PathOf(string kind, string session) => Path.Combine(root, kind, session[^2..], session);

    private IEnumerable<Stored> List(string kind, bool isStaging) =>
        from path in Directory.EnumerateFiles(Path.Combine(root, kind), "*", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(root, path)
        where !Path.GetFileName(name).StartsWith('.')
        select new Stored(name, Path.GetFileName(name), isStaging ? null : name, new FileInfo(path).Length);
}

/// <summary>
/// A bucket; a proxy stands between it and the nodes, so that requests can be counted and harmed. The tests' own
/// questions go past the proxy.
/// </summary>
internal sealed class SharedBucket : SharedStore
{
    private readonly S3Bucket _bucket;
    private readonly AmazonS3Client _client;

    public SharedBucket(S3Bucket bucket)
    {
        (_bucket, _client) = (bucket, bucket.Connect());
        Proxy = ReverseProxy.StartAsync(bucket.Endpoint).GetAwaiter().GetResult();
    }

    public ReverseProxy Proxy { get; }

    public override IReadOnlyList<string> Settings =>
        [.. (_bucket with { Endpoint = Proxy.Address }).Settings.Select(setting => $"{setting.Key}={setting.Value}")];

    public override async Task<List<Stored>> ListAsync()
    {
        var found = (await _bucket.ListAsync()).Where(entry => entry.Key != "owner" && !entry.Key.StartsWith("probes/", StringComparison.Ordinal))
            .Select(entry => Parse(entry.Key, entry.Key, entry.Value)).ToList();
        var unfinished = await _client.ListMultipartUploadsAsync(new Amazon.S3.Model.ListMultipartUploadsRequest { BucketName = _bucket.Name, MaxUploads = 1000 });
        found.AddRange((unfinished.MultipartUploads ?? []).Select(upload =>
            Parse($"{upload.Key}?uploadId={upload.UploadId}", upload.Key, 0) with { Location = null }));
        return found;
    }

    public override async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        _client.Dispose();
    }

    protected override async Task<Stream?> OpenAsync(string location)
    {
        try
        {
            return (await _client.GetObjectAsync(_bucket.Name, location)).ResponseStream;
        }
        catch (AmazonS3Exception fault) when (fault.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    // blobs/XX/ID-RRRRRRRR, uploads/XX/ID/OFFSET-RRRRRRRR
    private static Stored Parse(string name, string key, long size)
    {
        var parts = key.Split('/');
        return new Stored(name, parts[2][..Math.Min(32, parts[2].Length)], parts[0] == "blobs" ? key : null, size);
    }
}
