using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Storage.FileSystem;

/// <summary>
/// An open blob; stays readable when its file is deleted. Memory: at most two pieces of <see cref="PieceBytes"/>, one
/// being read and one the destination still holds, because each is flushed before the next is asked for.
/// <para>Reads block the calling thread. .NET has no other kind for files (its asynchronous ones block a pool thread
/// instead and cost a switch each), and most come from the page cache.</para>
/// </summary>
internal sealed class FileSystemBlobReader(SafeFileHandle file) : IBlobReader
{
    private const int PieceBytes = 256 * 1024;

    public long Length { get; } = RandomAccess.GetLength(file);

    public async ValueTask CopyToAsync(PipeWriter destination, long offset, long count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count > PieceBytes) PosixFile.ExpectSequentialReads(file);

        for (var left = count; left > 0;)
        {
            var piece = destination.GetMemory((int)Math.Min(left, PieceBytes));
            if (piece.Length > left) piece = piece[..(int)left];
            var read = RandomAccess.Read(file, piece.Span, offset);
            if (read == 0) throw new EndOfStreamException($"{left} bytes of the blob are missing");

            destination.Advance(read);
            (offset, left) = (offset + read, left - read);
            var flushed = await destination.FlushAsync(cancellationToken);
            if (flushed.IsCanceled || (flushed.IsCompleted && left > 0))
                throw new OperationCanceledException("the destination takes no more");
        }
    }

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }
}
