using System.Runtime.CompilerServices;
using System.Text;
using Amazon.S3;
using Amazon.S3.Model;

namespace Gantry.Storage.S3;

/// <summary>Committed blobs as objects. Nothing is kept between requests but the connection.</summary>
public sealed class S3BlobStore(S3Connection connection) : IBlobStore
{
    private readonly S3Objects _objects = new(connection);
    private readonly string _probe = connection.Keys.Probe(Guid.NewGuid());

    public async ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken) =>
        (await _objects.StatAsync(connection.Keys.KeyOf(location), cancellationToken))?.Length;

    public async ValueTask<IBlobReader?> OpenAsync(BlobLocation location, BlobRange? expected, CancellationToken cancellationToken)
    {
        var key = connection.Keys.KeyOf(location);

        // No request can ask for no bytes.
        if (expected is { Count: 0 })
        {
            return await _objects.StatAsync(key, cancellationToken) is { } head
                ? new S3BlobReader(connection, key, head.Length, head.ETag) : null;
        }

        return await S3Download.OpenAsync(connection, key, expected, cancellationToken) is { } download
            ? new S3BlobReader(connection, key, download) : null;
    }

    public async ValueTask DeleteAsync(BlobLocation location, CancellationToken cancellationToken) =>
        await _objects.DeleteAsync(connection.Keys.KeyOf(location), cancellationToken);

    /// <summary>Two that ask at once may both write; both then read what the last one wrote.</summary>
    public async ValueTask<Guid> OwnerAsync(Guid asking, CancellationToken cancellationToken)
    {
        if (await ReadOwnerAsync(cancellationToken) is { } owner) return owner;
        await using var body = new MemoryStream(Encoding.ASCII.GetBytes($"{asking}\n"));
        await _objects.PutAsync(connection.Keys.Owner, body, cancellationToken);
        return await ReadOwnerAsync(cancellationToken) ?? throw new IOException("the store does not keep what is put there");
    }

    private async Task<Guid?> ReadOwnerAsync(CancellationToken cancellationToken)
    {
        using var answer = await _objects.GetAsync(connection.Keys.Owner, range: null, etag: null, cancellationToken);
        if (answer is null) return null;
        using var reader = new StreamReader(answer.ResponseStream, Encoding.ASCII);
        var text = new char[64]; // an id has 36
        var length = await reader.ReadBlockAsync(text.AsMemory(), cancellationToken);
        return Guid.TryParse(text.AsSpan(0, length).Trim(), out var owner)
            ? owner : throw new IOException($"{connection.Keys.Owner} does not hold the id of a registry");
    }

    public async IAsyncEnumerable<StoredItem> ListAsync(byte shard, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in KeysAsync(connection.Keys.BlobsOf(shard), cancellationToken))
        {
            if (connection.Keys.ParseBlob(found.Key) is { } blob)
                yield return new StoredItem(blob.SessionId, blob.Location, found.Size ?? 0);
        }

        // In the order of their keys: the pieces of an upload come one after the other and make one item.
        StoredItem? staging = null;
        await foreach (var found in KeysAsync(connection.Keys.PiecesOf(shard), cancellationToken))
        {
            if (connection.Keys.ParsePiece(found.Key) is not { } session) continue;
            if (staging is { } before && before.SessionId != session)
            {
                yield return before;
                staging = null;
            }

            staging = new StoredItem(session, null, (staging?.Size ?? 0) + (found.Size ?? 0));
        }

        if (staging is { } last) yield return last;

        (string, string)? from = null;
        do
        {
            var (uploads, next) = await _objects.ListUploadsAsync(connection.Keys.BlobsOf(shard), from, cancellationToken);
            foreach (var upload in uploads)
            {
                if (connection.Keys.ParseBlob(upload.Key) is { } blob) yield return new StoredItem(blob.SessionId, null, 0);
            }

            from = next;
        }
        while (from is not null);
    }

    public async ValueTask<Uri?> RedirectAsync(BlobLocation location, CancellationToken cancellationToken)
    {
        var key = connection.Keys.KeyOf(location);
        var options = connection.Options;
        if (!options.Redirect) return null;
        var request = new GetPreSignedUrlRequest
        {
            BucketName = options.Bucket, Key = key, Verb = HttpVerb.GET,
            Protocol = S3Connection.IsHttps(connection.PublicEndpoint) ? Protocol.HTTPS : Protocol.HTTP,
            Expires = connection.Time.GetUtcNow().Add(options.RedirectLifetime).UtcDateTime,
        };
        return new Uri(await S3Objects.RunAsync("sign a URL",
            () => connection.Presigner.GetPreSignedURLAsync(request), cancellationToken));
    }

    /// <summary>One object for each process, written over again and again.</summary>
    public async ValueTask ProbeAsync(CancellationToken cancellationToken)
    {
        using var content = new MemoryStream("gantry"u8.ToArray());
        await _objects.PutAsync(_probe, content, cancellationToken);
        if (await _objects.StatAsync(_probe, cancellationToken) is null)
            throw new StorageUnavailableException("an object that was just written is not there", new FileNotFoundException(_probe));
        await _objects.DeleteAsync(_probe, cancellationToken);
    }

    private async IAsyncEnumerable<S3Object> KeysAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? from = null;
        do
        {
            var (objects, next) = await _objects.ListAsync(prefix, from, cancellationToken);
            foreach (var found in objects) yield return found;
            from = next;
        }
        while (from is not null);
    }
}
