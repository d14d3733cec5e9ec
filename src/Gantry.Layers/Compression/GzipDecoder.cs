namespace Gantry.Layers.Compression;

/// <summary>
/// gzip (RFC 1952): members one after the other, checked each in header, checksum and length. What follows the last member and does not start another is
/// read and ignored, as gzip does; a stream that ends anywhere within a member is damage.
/// </summary>
internal sealed class GzipDecoder(CompressedInput input) : DecodedStream(input)
{
    // Headers, names and members without content (bgzip ends with one) are small. Without a bound a layer could be nothing else, and take long to say so.
    private const int MaxIdleBytes = 1 << 20;

    private readonly InflateHandle _inflate = new();
    private State _state = State.Member;
    private int _idleBytes;

    private enum State
    {
        Member,
        BetweenMembers,
        End,
    }

    public static ReadOnlySpan<byte> Magic => [0x1F, 0x8B];

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        while (_state != State.End)
        {
            if (_state == State.BetweenMembers) StartMember();
            else if (Inflate(buffer) is > 0 and var produced) return produced;
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _inflate.Dispose();
        base.Dispose(disposing);
    }

    private int Inflate(Span<byte> buffer)
    {
        var isLast = Input.Peek(1).IsEmpty;
        var result = _inflate.Inflate(Input.Buffered, buffer, out var consumed, out var produced);
        Input.Take(consumed);
        _idleBytes = produced > 0 ? 0 : _idleBytes + consumed;
        if (_idleBytes > MaxIdleBytes) throw Bad("a gzip layer has too much in it that is no content");
        switch (result)
        {
            case ZResult.StreamEnd:
                _state = State.BetweenMembers;
                return produced;

            // Neither: more of something is wanted, and it is there or it is not.
            case ZResult.Ok or ZResult.BufferError when produced > 0 || !isLast:
                return produced;
            case ZResult.Ok or ZResult.BufferError:
                throw Bad("a gzip layer is truncated");
            case ZResult.MemoryError:
                throw new InvalidOperationException("zlib found no memory");
            default:
                throw Bad("a gzip layer is damaged");
        }
    }

    private void StartMember()
    {
        if (Input.Peek(Magic.Length).StartsWith(Magic))
        {
            _inflate.Reset();
            _state = State.Member;
            return;
        }

        Input.SkipToEnd();
        _state = State.End;
    }
}
