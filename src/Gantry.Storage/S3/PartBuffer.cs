using System.Buffers;

namespace Gantry.Storage.S3;

/// <summary>
/// Bytes of a part, in blocks that come as bytes do. It is read by <see cref="Open"/> while nothing is appended, and
/// again from its start where a request is repeated.
/// </summary>
internal sealed class PartBuffer(PartMemory memory) : IDisposable
{
    private readonly List<byte[]> _blocks = [];
    private readonly Lock _gate = new();
    private bool _gone;

    public long Length { get; private set; }

    public void Append(in ReadOnlySequence<byte> bytes)
    {
        foreach (var segment in bytes)
        {
            for (var rest = segment.Span; !rest.IsEmpty;)
            {
                var room = Room();
                var taken = Math.Min(room.Length, rest.Length);
                rest[..taken].CopyTo(room);
                rest = rest[taken..];
                Length += taken;
            }
        }
    }

    /// <summary>Makes room for bytes that <see cref="Slice"/> gives to be filled in any order.</summary>
    public void Reserve(long bytes)
    {
        while (_blocks.Count * (long)PartMemory.BlockBytes < Length + bytes) _blocks.Add(memory.Rent());
        Length += bytes;
    }

    /// <summary>The longest run of memory at an offset.</summary>
    public Memory<byte> Slice(long offset)
    {
        var at = (int)(offset % PartMemory.BlockBytes);
        return _blocks[(int)(offset / PartMemory.BlockBytes)].AsMemory(at, (int)Math.Min(PartMemory.BlockBytes - at, Length - offset));
    }

    /// <summary>
    /// Copies from an offset on. After <see cref="Dispose"/> it throws: a request that was given up may go on reading for
    /// a moment, and must not send what the memory holds by then.
    /// </summary>
    public int Read(long offset, Span<byte> to)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_gone, this);
            if (offset >= Length) return 0;
            var slice = Slice(offset).Span;
            var taken = Math.Min(slice.Length, to.Length);
            slice[..taken].CopyTo(to);
            return taken;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_gone) return;
            _gone = true;
            foreach (var block in _blocks) memory.Return(block);
            _blocks.Clear();
        }
    }

    private Span<byte> Room()
    {
        var used = (int)(Length - (_blocks.Count - 1) * (long)PartMemory.BlockBytes);
        if (_blocks.Count == 0 || used == PartMemory.BlockBytes)
        {
            _blocks.Add(memory.Rent());
            used = 0;
        }

        return _blocks[^1].AsSpan(used);
    }
}

/// <summary>A body made of buffers one after the other; the client reads it again where it repeats a request.</summary>
internal sealed class PartStream(PartBuffer? first, PartBuffer? second = null) : Stream
{
    private readonly PartBuffer[] _buffers = [.. new[] { first, second }.OfType<PartBuffer>()];
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => _buffers.Sum(buffer => buffer.Length);

    public override long Position
    {
        get => _position;
        set => _position = value;
    }

    public override int Read(Span<byte> buffer)
    {
        var offset = _position;
        foreach (var part in _buffers)
        {
            if (offset < part.Length)
            {
                var read = part.Read(offset, buffer);
                _position += read;
                return read;
            }

            offset -= part.Length;
        }

        return 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => _position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
