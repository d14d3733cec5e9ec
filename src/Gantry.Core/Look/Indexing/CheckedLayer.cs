using System.Security.Cryptography;
using Gantry.Layers;
using Gantry.Oci;

namespace Gantry.Core.Look.Indexing;

/// <summary>A layer's archive on its way to a reader: counted, hashed, and ended at its bounds.</summary>
internal sealed class CheckedLayer(Stream tar, long maxBytes, CancellationToken cancellationToken) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public long Bytes { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => Bytes;
        set => throw new NotSupportedException();
    }

    /// <summary>Of what was read; to be asked once.</summary>
    public Digest DiffId() => Digest.FromHash(DigestAlgorithm.Sha256, _hash.GetHashAndReset());

    public override int Read(Span<byte> buffer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var read = tar.Read(buffer);
        if ((Bytes += read) > maxBytes) throw new LayerException(LayerFault.TooLarge, $"the layer has more than {maxBytes} bytes");
        _hash.AppendData(buffer[..read]);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _hash.Dispose();
        base.Dispose(disposing);
    }
}
