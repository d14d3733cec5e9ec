using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.ExceptionServices;

namespace Gantry.Storage.FileSystem;

internal sealed partial class FileSystemStagingWriter
{
    /// <summary>One write's size. Measured, see the README; twice this is an append's memory.</summary>
    private const int BufferBytes = 128 * 1024;

    /// <summary>How much is written before the kernel is told to begin with it. Measured, see the README.</summary>
    private const int WritebackBytes = 16 * 1024 * 1024;

    private int _inFlight;
    private long _writebackBegun;

    /// <summary>
    /// Stages, all under way at once on neighbouring buffers: 1. gather the source's segments; 2. write on a disk thread
    /// and hash here meanwhile; 3. count what is both written and hashed.
    /// </summary>
    public async ValueTask AppendAsync(PipeReader source, CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        if (IsSealed) throw new InvalidOperationException("a sealed upload takes no more bytes");
        RemoveForeignTail();

        var (filling, writing) = (ArrayPool<byte>.Shared.Rent(BufferBytes), ArrayPool<byte>.Shared.Rent(BufferBytes));
        var filled = 0;
        var write = Task.CompletedTask;
        ExceptionDispatchInfo? sourceFault;
        try
        {
            sourceFault = await UploadSource.DrainAsync(source, GatherAsync, cancellationToken);
            await SettleAsync(write);
            if (filled > 0) await SettleAsync(write = BeginWrite(filling, filled));
        }
        finally
        {
            // A buffer under way is not ours to give back, whatever went wrong beside it.
            await write.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ArrayPool<byte>.Shared.Return(filling);
            ArrayPool<byte>.Shared.Return(writing);
        }

        Failpoint.Hit("append-written");
        sourceFault?.Throw();

        async ValueTask GatherAsync(ReadOnlySequence<byte> rest)
        {
            while (!rest.IsEmpty)
            {
                var taken = (int)Math.Min(rest.Length, BufferBytes - filled);
                rest.Slice(0, taken).CopyTo(filling.AsSpan(filled));
                rest = rest.Slice(taken);
                filled += taken;
                if (filled < BufferBytes) continue;

                await SettleAsync(write);
                (filling, writing) = (writing, filling);
                write = BeginWrite(writing, filled);
                filled = 0;
            }
        }
    }

    private Task BeginWrite(byte[] buffer, int count)
    {
        var offset = Offset;
        _inFlight = count;
        _dirty = true;
        _digest?.Mark();
        var write = DiskThreads.RunAsync(() => Write(buffer.AsSpan(0, count), offset));
        _digest?.Append(buffer.AsSpan(0, count));
        return write;
    }

    private async ValueTask SettleAsync(Task write)
    {
        try
        {
            await write;
            Offset += _inFlight;
            _inFlight = 0;
        }
        catch
        {
            if (_inFlight > 0) await DiskThreads.RunAsync(ForgetInFlight);
            throw;
        }
    }

    private void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(_file, bytes, offset);
        }
        catch (IOException fault) when (PosixFile.MeansFull(fault))
        {
            throw new StorageFullException(fault);
        }

        Failpoint.Hit("append-buffer-written");
        var end = offset + bytes.Length;
        if (end - _writebackBegun < WritebackBytes) return;
        PosixFile.BeginWriteback(_file, _writebackBegun, end - _writebackBegun);
        _writebackBegun = end;
    }

    /// <summary>A failed write may have written some of its bytes; offset, digest and file go back to before it.</summary>
    private void ForgetInFlight()
    {
        _inFlight = 0;
        if (_digest?.TryRollBack() == false)
        {
            _digest.Dispose();
            _digest = null;
        }

        _tailIsForeign = true;
        try
        {
            RemoveForeignTail();
        }
        catch (IOException)
        {
            // Tried again before the next append, checkpoint or commit.
        }
    }
}
