using Gantry.Oci;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Content;

/// <summary>
/// A blob that is there, or on its way into its file: then readers follow behind the writer, and none comes to the end before size and digest were found right. The
/// file is the buffer between network and readers, however slow they are, so there is none in memory.
/// </summary>
internal sealed class BlobReading(Digest digest, long size, SafeFileHandle file) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _moved = new();
    private readonly CancellationTokenSource _end = new();
    private long _written;
    private bool _isWhole;
    private Exception? _failure;

    public Digest Digest => digest;

    public long Size => size;

    /// <summary>Ends once the blob is durable in the store, or failed.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>It was in the store when it was asked for.</summary>
    public bool WasThere { get; private init; }

    public static BlobReading OfStored(Digest digest, long size, SafeFileHandle file) =>
        new(digest, size, file) { WasThere = true, _written = size, _isWhole = true };

    /// <summary>For the writer: runs it, and lets its failure be the readers' too.</summary>
    public void Begin(Func<CancellationToken, Task> write) => Completion = RunAsync(write);

    /// <summary>For the writer: so much of the file is valid.</summary>
    public void Advance(long written)
    {
        lock (_gate) _written = written;
        _moved.Set();
    }

    /// <summary>For the writer: size and digest are right.</summary>
    public void Verified()
    {
        lock (_gate) (_written, _isWhole) = (size, true);
        _moved.Set();
    }

    /// <summary>A reader from the start, for one thread; any number of them, one after the other.</summary>
    /// <exception cref="ContentFailedException">Of reading: the writer failed, <see cref="Completion"/> says how.</exception>
    public Stream Follow(CancellationToken ct) => new Follower(this, ct);

    /// <summary>Stops the writer where it still writes (what it has stays for the next time), and waits for it. Its failure is <see cref="Completion"/>'s to tell.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        file.Dispose();
        _moved.Dispose();
        _end.Dispose();
    }

    private async Task RunAsync(Func<CancellationToken, Task> write)
    {
        try
        {
            await Task.Run(() => write(_end.Token));
        }
        catch (Exception fault)
        {
            lock (_gate) _failure = fault;
            _moved.Set();
            throw;
        }
    }

    private int Read(Span<byte> buffer, long position, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            long valid;
            lock (_gate)
            {
                if (_failure is not null) throw new ContentFailedException(_failure);
                valid = _written - position;
                if (valid == 0 && _isWhole) return 0;
                if (valid == 0) _moved.Reset();
            }

            if (valid > 0) return RandomAccess.Read(file, buffer[..(int)Math.Min(buffer.Length, valid)], position);
            _moved.Wait(ct);
        }
    }

    private sealed class Follower(BlobReading blob, CancellationToken ct) : ReadOnlyStream
    {
        private long _position;

        public override int Read(Span<byte> buffer)
        {
            if (buffer.IsEmpty) return 0;
            var count = blob.Read(buffer, _position, ct);
            _position += count;
            return count;
        }
    }
}

/// <summary>Reading a blob ended because writing it did; the cause is the one to show.</summary>
internal sealed class ContentFailedException(Exception cause) : IOException(cause.Message, cause);
