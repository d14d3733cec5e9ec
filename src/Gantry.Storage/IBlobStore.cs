namespace Gantry.Storage;

/// <summary>
/// Committed bytes. A location holds the whole blob or nothing, from the moment
/// <see cref="IUploadStaging.CommitAsync"/> returns until <see cref="DeleteAsync"/>; it is never overwritten.
/// </summary>
public interface IBlobStore
{
    /// <summary>The blob's length in bytes, or null where nothing lies there.</summary>
    ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a blob for reading at any offset; null where nothing lies there. The caller disposes it. A blob deleted
    /// meanwhile stays readable where the backend can (an open file).
    /// </summary>
    ValueTask<IBlobReader?> OpenAsync(BlobLocation location, CancellationToken cancellationToken);

    /// <summary>Removes the bytes; removing what is not there succeeds.</summary>
    ValueTask DeleteAsync(BlobLocation location, CancellationToken cancellationToken);

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
