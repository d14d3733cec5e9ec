namespace Gantry.Storage;

/// <summary>
/// Committed bytes. A location holds the whole blob or nothing, from the moment
/// <see cref="IStagingWriter.CommitAsync"/> returns until <see cref="DeleteAsync"/>; it is never overwritten.
/// </summary>
public interface IBlobStore
{
    /// <summary>The blob's length in bytes, or null where nothing lies there.</summary>
    ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a blob for reading; null where nothing lies there. The caller disposes it. A blob deleted meanwhile stays
    /// readable where the backend can (an open file).
    /// </summary>
    /// <param name="expected">
    /// What will be copied first; null: everything. Any range may be copied all the same: this spares a backend that asks
    /// another server for bytes a second question.
    /// </param>
    ValueTask<IBlobReader?> OpenAsync(BlobLocation location, BlobRange? expected, CancellationToken cancellationToken);

    /// <summary>Removes the bytes; removing what is not there succeeds.</summary>
    ValueTask DeleteAsync(BlobLocation location, CancellationToken cancellationToken);

    /// <summary>
    /// Everything of one of the store's 256 shards that belongs to upload sessions: committed bytes and stagings, in no
    /// order, one page in memory at a time. What comes or goes meanwhile may be in it or not; what is not of our shape is not.
    /// </summary>
    /// <param name="shard">The last byte of the sessions' ids.</param>
    IAsyncEnumerable<StoredItem> ListAsync(byte shard, CancellationToken cancellationToken);

    /// <summary>
    /// Whose store this is: the registry that asked first. A store is asked before anything in it is taken for nobody's, so
    /// that the wrong database, or a new one, finds no orphans in it.
    /// </summary>
    /// <param name="asking">Becomes the owner where there is none.</param>
    /// <param name="cancellationToken">Ends it.</param>
    ValueTask<Guid> OwnerAsync(Guid asking, CancellationToken cancellationToken);

    /// <summary>
    /// Where a client may fetch the bytes itself with a GET and no credential of ours, for a while that the settings say;
    /// null where the backend has no such place, or the settings forbid it.
    /// </summary>
    ValueTask<Uri?> RedirectAsync(BlobLocation location, CancellationToken cancellationToken);

    /// <summary>Proves that the store answers and can be written to; throws where it does not.</summary>
    ValueTask ProbeAsync(CancellationToken cancellationToken);
}

/// <summary>An open blob.</summary>
public interface IBlobReader : IAsyncDisposable
{
    /// <summary>In bytes.</summary>
    long Length { get; }

    /// <summary>
    /// Copies <paramref name="count"/> bytes from <paramref name="offset"/> into <paramref name="destination"/> with a
    /// fixed amount of memory, waiting whenever the destination asks to. Fewer bytes than asked for is an
    /// <see cref="EndOfStreamException"/>: the range was checked against <see cref="Length"/> before. A destination
    /// whose reader went away is an <see cref="OperationCanceledException"/>. Completing the destination is the caller's.
    /// </summary>
    ValueTask CopyToAsync(System.IO.Pipelines.PipeWriter destination, long offset, long count,
        CancellationToken cancellationToken);
}

/// <summary>A part of a blob, in bytes.</summary>
public readonly record struct BlobRange(long Offset, long Count);

/// <summary>Something that lies in the store.</summary>
/// <param name="SessionId">The upload it came from.</param>
/// <param name="Location">Null: staging, not committed.</param>
/// <param name="Size">In bytes; 0 where the backend does not say.</param>
public readonly record struct StoredItem(Guid SessionId, BlobLocation? Location, long Size);
