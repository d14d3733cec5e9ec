using System.Buffers;

namespace Gantry.Layers.Compression;

/// <summary>A layer's stored bytes on their way into a decoder: one buffer of 64 KiB that a decoder takes from at its own pace.</summary>
internal sealed class CompressedInput(Stream stream) : IDisposable
{
    private const int BufferSize = 64 << 10;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _start;
    private int _end;

    /// <summary>What is here without reading; pinned by the caller for as long as native code looks at it.</summary>
    public ReadOnlySpan<byte> Buffered => _buffer.AsSpan(_start, _end - _start);

    public void Take(int count) => _start += count;

    /// <summary>At least <paramref name="count"/> bytes, fewer only at the end of the stream; not taken yet.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _start >= count) return Buffered;
        ObjectDisposedException.ThrowIf(_buffer.Length == 0, this);
        Buffered.CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        while (_end < count)
        {
            var read = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0) break;
            _end += read;
        }

        return Buffered;
    }

    /// <summary>Bytes that need no decoding, past the buffer once it is empty.</summary>
    public int Read(Span<byte> target)
    {
        if (_start == _end) return stream.Read(target);
        var count = Math.Min(target.Length, _end - _start);
        Buffered[..count].CopyTo(target);
        Take(count);
        return count;
    }

    public void SkipToEnd()
    {
        while (Peek(1).Length > 0) _start = _end;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = ([], 0, 0);
    }
}
