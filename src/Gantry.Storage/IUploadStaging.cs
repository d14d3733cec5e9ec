using System.IO.Pipelines;
using Gantry.Oci;

namespace Gantry.Storage;

/// <summary>
/// The bytes of unfinished uploads.
/// <para>Lifecycle: create, append any number of times, then either commit (which seals, and moves the bytes to their
/// location) or discard. What the backend must remember between requests is an opaque <see cref="StagingState"/> that
/// the caller keeps in the session row and hands back, so that any process can go on.</para>
/// <para>One writer an upload: the caller claims the session row in <c>load</c>, which fails where another writer has it.
/// A backend that can (a file lock) refuses a second writer besides. A writer whose claim was taken over meanwhile may go
/// on writing, and even commit, and does no harm: nothing it wrote is reached from a state it did not write, and each commit
/// has a location of its own.</para>
/// </summary>
public interface IUploadStaging
{
    /// <summary>The smallest chunk the backend likes, in bytes; 0 where any is fine. Smaller ones work all the same.</summary>
    int ChunkMinLength { get; }

    /// <summary>Makes an empty upload and returns its first state.</summary>
    ValueTask<StagingState> CreateAsync(Guid sessionId, DigestAlgorithm algorithm, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the upload as far as the backend can, then asks for its state: a state read before could be older than what
    /// another writer has acknowledged since. Bytes past the state's offset are forgotten: they never were acknowledged.
    /// </summary>
    /// <param name="load">
    /// Claims and reads the session row; called once, with the upload taken. Null: the session is gone, or another
    /// writer's; nothing is opened.
    /// </param>
    /// <returns>Null where another writer has the upload, or where the session is gone.</returns>
    /// <exception cref="StagingLostException">The row is there and its bytes are not.</exception>
    ValueTask<IStagingWriter?> OpenAsync(Guid sessionId, Func<CancellationToken, ValueTask<StagingState?>> load,
        CancellationToken cancellationToken);

    /// <summary>
    /// Removes what the session left; removing what is not there succeeds. With <see cref="Leftovers.Everything"/> the
    /// staging goes first, then the locations: a commit caught between the two finds nothing left to commit.
    /// </summary>
    ValueTask DiscardAsync(Guid sessionId, Leftovers leftovers, CancellationToken cancellationToken);
}

/// <summary>How much of a session is to go.</summary>
public enum Leftovers
{
    /// <summary>The staging alone. The session row is gone; a blob row may name its location.</summary>
    Staging,

    /// <summary>
    /// The staging, and every location that a commit without a row may have left. Neither a session row nor a blob row can
    /// name them any more.
    /// </summary>
    Everything,
}

/// <summary>What a session row keeps of an upload's bytes.</summary>
/// <param name="Offset">Durable bytes so far.</param>
/// <param name="Algorithm">What <paramref name="HashState"/> is the state of.</param>
/// <param name="HashState">
/// The digest's state over those bytes, null where it was lost: the bytes are read back once at the close.
/// </param>
/// <param name="Backend">Whatever else the backend needs; null for the filesystem.</param>
public sealed record StagingState(long Offset, DigestAlgorithm Algorithm, byte[]? HashState, byte[]? Backend);

/// <summary>The exclusive hold on one upload.</summary>
public interface IStagingWriter : IAsyncDisposable
{
    /// <summary>Bytes written so far, durable or not.</summary>
    long Offset { get; }

    /// <summary>
    /// True where an earlier close reached the location and its row was never written (a crash between the two). Such
    /// bytes take no more appends; their digest tells whether the close that is asked for again is the same one.
    /// </summary>
    bool IsSealed { get; }

    /// <summary>
    /// Appends all of <paramref name="source"/> until it ends, hashing as bytes flow by; completing the reader is the
    /// caller's. Memory is fixed whatever the length. Where the source fails or is cancelled, its fault is thrown once
    /// what came before is written; where the disk fails, what was written before stays. Either way
    /// <see cref="CheckpointAsync"/> may still keep it, and appends may go on at <see cref="Offset"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The upload is sealed.</exception>
    /// <exception cref="StorageFullException">No space; nothing is lost that was acknowledged before.</exception>
    ValueTask AppendAsync(PipeReader source, CancellationToken cancellationToken);

    /// <summary>Makes everything appended so far durable and returns the state to keep in the session row.</summary>
    ValueTask<StagingState> CheckpointAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The digest of the bytes so far. Costs one read of the staging where the state does not answer it: another
    /// algorithm than the session's, or a lost hash state.
    /// </summary>
    ValueTask<Digest> DigestAsync(DigestAlgorithm algorithm, CancellationToken cancellationToken);

    /// <summary>
    /// Seals the staging and makes its bytes durable and visible at a location of the session's own. Idempotent: committing
    /// what a crash left committed succeeds.
    /// </summary>
    ValueTask<BlobLocation> CommitAsync(CancellationToken cancellationToken);

    /// <summary>
    /// After a commit: whether something is left that <see cref="Leftovers.Staging"/> has to remove once the row is written.
    /// </summary>
    bool LeavesStaging { get; }
}

/// <summary>The staging of an upload, and its location too, are gone: the session cannot go on.</summary>
public sealed class StagingLostException(Guid sessionId)
    : IOException($"the staged bytes of upload {sessionId:N} are gone");

/// <summary>The store has no room (ENOSPC, EDQUOT). Passes by itself once there is.</summary>
public sealed class StorageFullException(Exception inner) : IOException("the blob store is full", inner);

/// <summary>The store does not answer, or refuses this server. What was acknowledged before is as it was.</summary>
public sealed class StorageUnavailableException(string message, Exception inner) : IOException(message, inner);

/// <summary>The upload would grow past what the backend can store as one blob.</summary>
public sealed class BlobTooLargeException(long maxBytes) : Exception($"a blob may have {maxBytes} bytes here")
{
    public long MaxBytes { get; } = maxBytes;
}
