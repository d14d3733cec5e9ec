using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Gantry.Engine.Content;

/// <summary>
/// Bytes from one thread to another in blocks of 256 KiB. The writer waits while <see cref="Depth"/> blocks are on their way; its failure becomes the reader's. A reader
/// that stops early sets the writer free.
/// </summary>
/// <remarks>Memory: Depth + 2 blocks a pipe (one at each end), 1.5 MiB. Blocks are used again: a process allocates as many as its pipes held at once.</remarks>
internal sealed class BlockPipe
{
    private const int BlockBytes = 256 * 1024, Depth = 4;

    private static readonly ConcurrentBag<byte[]> Pool = [];

    private readonly object _gate = new();
    private readonly Queue<(byte[] Block, int Count)> _blocks = new();
    private bool _isEnded, _isAbandoned;
    private ExceptionDispatchInfo? _failure;

    /// <summary>For the writer's thread: passes on everything of what it opens, then its end or its failure. Throws nothing.</summary>
    public void Fill(Func<Stream> open)
    {
        ExceptionDispatchInfo? failure = null;
        try
        {
            using var source = open();
            while (TryPass(source))
            {
            }
        }
        catch (Exception fault)
        {
            failure = ExceptionDispatchInfo.Capture(fault);
        }

        lock (_gate)
        {
            (_isEnded, _failure) = (true, failure);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>For the reader's thread. Disposing it sets the writer free.</summary>
    public Stream OpenReader() => new Reader(this);

    private bool TryPass(Stream source)
    {
        var block = Pool.TryTake(out var used) ? used : GC.AllocateUninitializedArray<byte>(BlockBytes);
        var isPassed = false;
        try
        {
            var count = source.ReadAtLeast(block, BlockBytes, throwOnEndOfStream: false);
            if (count == 0) return false;
            lock (_gate)
            {
                while (_blocks.Count >= Depth && !_isAbandoned) Monitor.Wait(_gate);
                if (_isAbandoned) return false;
                _blocks.Enqueue((block, count));
                Monitor.PulseAll(_gate);
            }

            return isPassed = true;
        }
        finally
        {
            if (!isPassed) Pool.Add(block);
        }
    }

    /// <summary>Null at the end.</summary>
    private (byte[] Block, int Count)? Take()
    {
        lock (_gate)
        {
            while (_blocks.Count == 0 && !_isEnded) Monitor.Wait(_gate);
            if (_blocks.TryDequeue(out var next))
            {
                Monitor.PulseAll(_gate);
                return next;
            }
        }

        _failure?.Throw();
        return null;
    }

    private void Abandon()
    {
        lock (_gate)
        {
            _isAbandoned = true;
            while (_blocks.TryDequeue(out var unread)) Pool.Add(unread.Block);
            Monitor.PulseAll(_gate);
        }
    }

    private sealed class Reader(BlockPipe pipe) : ReadOnlyStream
    {
        private byte[]? _block;
        private int _at, _count;

        public override int Read(Span<byte> buffer)
        {
            if (buffer.IsEmpty) return 0;
            if (_at == _count)
            {
                Release();
                if (pipe.Take() is not { } next) return 0;
                (_block, _at, _count) = (next.Block, 0, next.Count);
            }

            var count = Math.Min(buffer.Length, _count - _at);
            _block.AsSpan(_at, count).CopyTo(buffer);
            _at += count;
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            Release();
            pipe.Abandon();
            base.Dispose(disposing);
        }

        private void Release()
        {
            if (_block is not null) Pool.Add(_block);
            (_block, _at, _count) = (null, 0, 0);
        }
    }
}
