using System.IO.Pipelines;
using System.Security.Cryptography;
using Gantry.Oci;

namespace Gantry.Core.Scrub;

/// <summary>
/// Where a blob's bytes are copied to in order to be hashed, no faster than the pace. Memory: one buffer, used again and
/// again because bytes are hashed as soon as they are there.
/// </summary>
internal sealed class PacedHash(DigestAlgorithm algorithm, ScrubPace pace) : PipeWriter, IDisposable
{
    private readonly IncrementalHash _hash = algorithm.CreateHash();
    private byte[] _buffer = new byte[256 * 1024];
    private long _unpaid;

    public Digest Finish() => Digest.FromHash(algorithm, _hash.GetHashAndReset());

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (sizeHint > _buffer.Length) _buffer = new byte[sizeHint];
        return _buffer;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        _hash.AppendData(_buffer, 0, bytes);
        _unpaid += bytes;
    }

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        await pace.SpendAsync(_unpaid, cancellationToken);
        _unpaid = 0;
        return default;
    }

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }

    public void Dispose() => _hash.Dispose();
}
