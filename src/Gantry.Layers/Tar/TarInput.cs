using System.Buffers;

namespace Gantry.Layers.Tar;

/// <summary>The archive's bytes in order, through one buffer of 64 KiB: headers are read in place, long content goes around it to the caller.</summary>
internal sealed class TarInput(Stream stream) : IDisposable
{
    private const int BufferSize = 64 << 10;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _start;
    private int _end;

    /// <summary>Where in the archive the next byte lies.</summary>
    public long Position { get; private set; }

    /// <summary>The next bytes without taking them: <paramref name="count"/> of them (at most the buffer's size), fewer at the end of the stream.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _start < count) Fill(count);
        return _buffer.AsSpan(_start, Math.Min(count, _end - _start));
    }

    /// <summary>Takes bytes that <see cref="Peek"/> has shown.</summary>
    public void Take(int count)
    {
        _start += count;
        Position += count;
    }

    /// <summary>Some of the next bytes; 0 at the end of the stream or for an empty <paramref name="target"/>.</summary>
    public int Read(Span<byte> target)
    {
        if (_start == _end)
        {
            if (target.Length >= BufferSize / 2) return Advance(stream.Read(target));
            Peek(1);
        }

        var count = Math.Min(target.Length, _end - _start);
        _buffer.AsSpan(_start, count).CopyTo(target);
        Take(count);
        return count;
    }

    /// <summary>Reads past <paramref name="count"/> bytes and says how many there were. Nothing is sought: whoever hashes the stream sees every byte.</summary>
    public long Skip(long count)
    {
        for (var left = count; left > 0;)
        {
            var taken = (int)Math.Min(left, Peek(1).IsEmpty ? 0 : _end - _start);
            if (taken == 0) return count - left;
            Take(taken);
            left -= taken;
        }

        return count;
    }

    /// <summary>Reads to the end of the stream and says whether any byte was not zero.</summary>
    public bool SkipToEnd()
    {
        var isMarked = false;
        while (!Peek(1).IsEmpty)
        {
            var rest = _buffer.AsSpan(_start, _end - _start);
            isMarked |= rest.ContainsAnyExcept((byte)0);
            Take(rest.Length);
        }

        return isMarked;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = ([], 0, 0);
    }

    private void Fill(int count)
    {
        ObjectDisposedException.ThrowIf(_buffer.Length == 0, this);
        if (_buffer.Length - _start < count || _start == _end)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        while (_end - _start < count)
        {
            var read = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0) return;
            _end += read;
        }
    }

    private int Advance(int count)
    {
        Position += count;
        return count;
    }
}
