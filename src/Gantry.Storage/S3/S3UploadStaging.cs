using Gantry.Oci;
using Gantry.Storage.Hashing;

namespace Gantry.Storage.S3;

/// <summary>
/// Uploads as multipart uploads. Nothing in S3 can be held, so the claim on the session row alone keeps writers apart:
/// every key and every list of parts is one writer's own, and one that was overtaken reaches nothing of the other's.
/// </summary>
public sealed class S3UploadStaging(S3Connection connection) : IUploadStaging
{
    private readonly S3Objects _objects = new(connection);

    /// <summary>From this size on a chunk is a part, and is never read back.</summary>
    public int ChunkMinLength => (int)connection.Schedule.BytesOf(0);

    /// <summary>No request: an upload begins with its first bytes.</summary>
    public ValueTask<StagingState> CreateAsync(Guid sessionId, DigestAlgorithm algorithm, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var digest = RunningDigest.Start(algorithm);
        return ValueTask.FromResult(new StagingState(0, algorithm, digest.Save(), S3StagingState.Empty.Save()));
    }

    public async ValueTask<IStagingWriter?> OpenAsync(Guid sessionId,
        Func<CancellationToken, ValueTask<StagingState?>> load, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await load(cancellationToken) is { } state
            ? await S3StagingWriter.OverAsync(connection, sessionId, state, cancellationToken) : null;
    }

    public async ValueTask DiscardAsync(Guid sessionId, Leftovers leftovers, CancellationToken cancellationToken)
    {
        var (pieces, blobs) = (connection.Keys.PiecesOf(sessionId), connection.Keys.BlobsOf(sessionId));

        // A completion under way finds its parts gone, or has made the object that is listed afterwards.
        (string, string)? mark = null;
        do
        {
            var (uploads, next) = await _objects.ListUploadsAsync(blobs, mark, cancellationToken);
            foreach (var upload in uploads) await _objects.AbortAsync(upload.Key, upload.UploadId, cancellationToken);
            mark = next;
        }
        while (mark is not null);
        Failpoint.Hit("s3-discard-uploads-aborted");

        await DeleteAllAsync(pieces, cancellationToken);
        Failpoint.Hit("s3-discard-staging-removed");
        if (leftovers == Leftovers.Everything) await DeleteAllAsync(blobs, cancellationToken);
    }

    private async ValueTask DeleteAllAsync(string prefix, CancellationToken cancellationToken)
    {
        string? from = null;
        do
        {
            var (objects, next) = await _objects.ListAsync(prefix, from, cancellationToken);
            await _objects.DeleteAsync(objects.Select(found => found.Key), cancellationToken);
            from = next;
        }
        while (from is not null);
    }
}
