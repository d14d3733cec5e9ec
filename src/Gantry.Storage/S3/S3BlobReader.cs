using System.IO.Pipelines;

namespace Gantry.Storage.S3;

/// <summary>
/// An open blob: the answer to one request, and further requests where other bytes are asked for. Memory: at most two
/// pieces of <see cref="PieceBytes"/>, one being read and one the destination still holds, and what the socket buffers.
/// </summary>
internal sealed class S3BlobReader(S3Connection connection, string key, long length, string etag) : IBlobReader
{
    private const int PieceBytes = 256 * 1024;

    private S3Download? _download;

    public S3BlobReader(S3Connection connection, string key, S3Download download)
        : this(connection, key, download.Length, download.ETag) => _download = download;

    public long Length => length;

    public async ValueTask CopyToAsync(PipeWriter destination, long offset, long count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count > length - offset) throw new EndOfStreamException($"{offset + count - length} bytes of the blob are missing");

        for (var left = count; left > 0;)
        {
            var download = await AtAsync(offset, left, cancellationToken);
            // Filled before it goes: each flush costs a change of threads, and a socket gives a fraction of a piece at a time.
            var piece = destination.GetMemory((int)Math.Min(left, PieceBytes));
            var (size, filled) = ((int)Math.Min(left, piece.Length), 0);
            while (filled < size) filled += await download.ReadAsync(piece[filled..size], cancellationToken);
            destination.Advance(filled);
            (offset, left) = (offset + filled, left - filled);
            var flushed = await destination.FlushAsync(cancellationToken);
            if (flushed.IsCanceled || (flushed.IsCompleted && left > 0))
                throw new OperationCanceledException("the destination takes no more");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_download is not null) await _download.DisposeAsync();
    }

    /// <summary>The request under way where it is at these bytes; else one for them alone.</summary>
    private async ValueTask<S3Download> AtAsync(long offset, long count, CancellationToken cancellationToken)
    {
        if (_download is { } open && open.Position == offset && open.End - offset >= count) return open;
        await DisposeAsync();
        return _download = await S3Download.OpenAsync(connection, key, new BlobRange(offset, count), cancellationToken, etag)
            ?? throw new StorageUnavailableException("the object was deleted while it was read", new FileNotFoundException(key));
    }
}
