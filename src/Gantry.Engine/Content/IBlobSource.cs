using Gantry.Engine.Images;

namespace Gantry.Engine.Content;

/// <summary>Where blobs come from that the store does not have.</summary>
internal interface IBlobSource
{
    /// <summary>
    /// Exactly the bytes from <paramref name="from"/> to the descriptor's size, or an <see cref="EngineException"/> on the way; not checked against the digest.
    /// The caller disposes the stream.
    /// </summary>
    Task<Stream> OpenBlobAsync(ContentReference blob, long from, CancellationToken ct);
}
