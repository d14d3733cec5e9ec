namespace Gantry.Layers.Compression;

/// <summary>What the decoders have in common: a stream that is read forwards, without waiting for anything but the stream below.</summary>
internal abstract class DecodedStream(CompressedInput input) : Stream
{
    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    protected CompressedInput Input => input;

    public abstract override int Read(Span<byte> buffer);

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public sealed override void Flush()
    {
    }

    protected static LayerException Bad(string what, Exception? inner = null) => new(LayerFault.Compression, what, inner);

    protected override void Dispose(bool disposing)
    {
        if (disposing) input.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>A layer that is not compressed.</summary>
internal sealed class PlainStream(CompressedInput input) : DecodedStream(input)
{
    public override int Read(Span<byte> buffer) => Input.Read(buffer);
}
