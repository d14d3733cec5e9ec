using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace Gantry.Storage.S3;

/// <summary>What is known of an object without reading it.</summary>
internal readonly record struct ObjectHead(long Length, string ETag);

/// <summary>
/// The requests that this backend makes, each tried again by the SDK, with faults in this project's words. Absence is null.
/// </summary>
internal sealed class S3Objects(S3Connection connection)
{
    private const int KeysPerDelete = 1000;
    private readonly IAmazonS3 _client = connection.Client;
    private readonly string _bucket = connection.Options.Bucket;

    // Over https the connection vouches for the body; over http each body is hashed once more to be signed: as a whole,
    // because signing it chunk by chunk takes the SDK buffers that cost more than the part.
    private readonly bool _unsigned = S3Connection.IsHttps(connection.Options.Endpoint);

    public Task PutAsync(string key, Stream body, CancellationToken cancellationToken)
    {
        var request = new PutObjectRequest
        {
            BucketName = _bucket, Key = key, InputStream = body, AutoCloseStream = false,
            DisablePayloadSigning = _unsigned, UseChunkEncoding = false,
            ServerSideEncryptionMethod = Encryption, ServerSideEncryptionKeyManagementServiceKeyId = KmsKey,
        };
        return RunAsync("put an object", () => _client.PutObjectAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>Null where the object is not there; and where the bucket is not, for the answer to a HEAD has no body that says which.</summary>
    public async Task<ObjectHead?> HeadAsync(string key, CancellationToken cancellationToken)
    {
        var request = new GetObjectMetadataRequest { BucketName = _bucket, Key = key };
        var found = await FindAsync("head an object", () => _client.GetObjectMetadataAsync(request, cancellationToken), cancellationToken);
        return found is null ? null : new ObjectHead(found.ContentLength, found.ETag);
    }

    /// <summary>Null where the object is not there; a bucket that is not there is a fault, and nobody takes a blob for gone.</summary>
    public async Task<ObjectHead?> StatAsync(string key, CancellationToken cancellationToken)
    {
        if (await HeadAsync(key, cancellationToken) is { } head) return head;
        using var body = await GetAsync(key, new BlobRange(0, 1), etag: null, cancellationToken);
        return body is null ? null : new ObjectHead(LengthOf(body), body.ETag);
    }

    /// <summary>The caller disposes it, read to its end or not.</summary>
    /// <param name="key">Of the object.</param>
    /// <param name="range">Null: everything, which may be nothing.</param>
    /// <param name="etag">Where it is given, another object at that key is a fault.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<GetObjectResponse?> GetAsync(string key, BlobRange? range, string? etag, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest { BucketName = _bucket, Key = key, EtagToMatch = etag };
        if (range is { } part) request.ByteRange = new ByteRange(part.Offset, part.Offset + part.Count - 1);
        return await FindAsync("get an object", () => _client.GetObjectAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>Of the whole object, whatever part of it the answer has.</summary>
    public static long LengthOf(GetObjectResponse response) => response.ContentRange is { Length: > 0 } range
        ? long.Parse(range.AsSpan(range.LastIndexOf('/') + 1)) : response.ContentLength;

    public Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        var request = new DeleteObjectRequest { BucketName = _bucket, Key = key };
        return FindAsync("delete an object", () => _client.DeleteObjectAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>Any number of keys; what is not there counts as deleted.</summary>
    public async Task DeleteAsync(IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        foreach (var some in keys.Chunk(KeysPerDelete))
        {
            var request = new DeleteObjectsRequest
            {
                BucketName = _bucket, Quiet = true, Objects = [.. some.Select(key => new KeyVersion { Key = key })],
            };
            await RunAsync("delete objects", () => _client.DeleteObjectsAsync(request, cancellationToken), cancellationToken);
        }
    }

    public async Task<string> BeginAsync(string key, CancellationToken cancellationToken)
    {
        var request = new InitiateMultipartUploadRequest
        {
            BucketName = _bucket, Key = key,
            ServerSideEncryptionMethod = Encryption, ServerSideEncryptionKeyManagementServiceKeyId = KmsKey,
        };
        var begun = await RunAsync("begin an upload", () => _client.InitiateMultipartUploadAsync(request, cancellationToken), cancellationToken);
        return begun.UploadId;
    }

    /// <returns>The part's ETag; null where the upload is gone.</returns>
    public async Task<string?> PutPartAsync(string key, string uploadId, int number, Stream body, CancellationToken cancellationToken)
    {
        var request = new UploadPartRequest
        {
            BucketName = _bucket, Key = key, UploadId = uploadId, PartNumber = number, InputStream = body, PartSize = body.Length,
            DisablePayloadSigning = _unsigned, UseChunkEncoding = false,
        };
        return (await FindAsync("put a part", () => _client.UploadPartAsync(request, cancellationToken), cancellationToken))?.ETag;
    }

    /// <summary>Throws the SDK's own faults: only the caller can tell which of them mean that it was done before.</summary>
    public async Task CompleteAsync(string key, string uploadId, IReadOnlyList<Part> parts, CancellationToken cancellationToken)
    {
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = _bucket, Key = key, UploadId = uploadId,
            PartETags = [.. parts.Select((part, index) => new PartETag(index + 1, part.ETag))],
        };
        var done = await _client.CompleteMultipartUploadAsync(request, cancellationToken);

        // A 200 whose body brings an error: it was sent before the work was done.
        if (string.IsNullOrEmpty(done.ETag)) throw new HttpRequestException("the answer names no object");
    }

    public Task AbortAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        var request = new AbortMultipartUploadRequest { BucketName = _bucket, Key = key, UploadId = uploadId };
        return FindAsync("abort an upload", () => _client.AbortMultipartUploadAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>Whether parts may still be put to it.</summary>
    public async Task<bool> HasUploadAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        var request = new ListPartsRequest { BucketName = _bucket, Key = key, UploadId = uploadId, MaxParts = 1 };
        return await FindAsync("list parts", () => _client.ListPartsAsync(request, cancellationToken), cancellationToken) is not null;
    }

    /// <summary>One page of keys in their order, and where the next begins.</summary>
    public async Task<(List<S3Object> Objects, string? Next)> ListAsync(string prefix, string? from, CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = _bucket, Prefix = prefix, ContinuationToken = from };
        var page = await RunAsync("list objects", () => _client.ListObjectsV2Async(request, cancellationToken), cancellationToken);
        return (page.S3Objects ?? [], page.IsTruncated == true ? page.NextContinuationToken : null);
    }

    /// <summary>One page of unfinished multipart uploads, and where the next begins.</summary>
    public async Task<(List<MultipartUpload> Uploads, (string Key, string Id)? Next)> ListUploadsAsync(
        string prefix, (string Key, string Id)? from, CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = _bucket, Prefix = prefix };
        if (from is { } mark) (request.KeyMarker, request.UploadIdMarker) = mark;
        var page = await RunAsync("list uploads", () => _client.ListMultipartUploadsAsync(request, cancellationToken), cancellationToken);
        return (page.MultipartUploads ?? [], page.IsTruncated == true ? (page.NextKeyMarker, page.NextUploadIdMarker) : null);
    }

    public static async Task<T> RunAsync<T>(string what, Func<Task<T>> request, CancellationToken cancellationToken)
    {
        try
        {
            return await request();
        }
        catch (Exception fault) when (S3Faults.IsOfTheSdk(fault) && !cancellationToken.IsCancellationRequested)
        {
            throw S3Faults.Of(what, fault);
        }
    }

    private static async Task<T?> FindAsync<T>(string what, Func<Task<T>> request, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await request();
        }
        catch (Exception fault) when (S3Faults.IsMissing(fault))
        {
            return null;
        }
        catch (Exception fault) when (S3Faults.IsOfTheSdk(fault) && !cancellationToken.IsCancellationRequested)
        {
            throw S3Faults.Of(what, fault);
        }
    }

    private ServerSideEncryptionMethod? Encryption => connection.Options.ServerSideEncryption switch
    {
        "AES256" => ServerSideEncryptionMethod.AES256,
        "aws:kms" => ServerSideEncryptionMethod.AWSKMS,
        _ => null,
    };

    private string? KmsKey => connection.Options.KmsKeyId is { Length: > 0 } key ? key : null;
}
