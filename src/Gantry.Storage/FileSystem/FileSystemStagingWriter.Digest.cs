using System.Buffers;
using Gantry.Oci;
using Gantry.Storage.Hashing;

namespace Gantry.Storage.FileSystem;

internal sealed partial class FileSystemStagingWriter
{
    public async ValueTask<Digest> DigestAsync(DigestAlgorithm algorithm, CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        if (_digest is not null && algorithm == _algorithm) return _digest.Current();
        if (_readBack is { } known && known.Offset == Offset && known.Digest.Algorithm == algorithm) return known.Digest;

        var read = await DiskThreads.RunAsync(() => ReadBack(algorithm, cancellationToken));
        var digest = read.Current();
        _readBack = (Offset, digest);

        // What was lost is found again: later appends go on from it.
        if (algorithm == _algorithm) _digest = read;
        else read.Dispose();
        return digest;
    }

    private RunningDigest ReadBack(DigestAlgorithm algorithm, CancellationToken cancellationToken)
    {
        PosixFile.ExpectSequentialReads(_file);
        var digest = RunningDigest.Start(algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long offset = 0; offset < Offset;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var wanted = (int)Math.Min(buffer.Length, Offset - offset);
                var read = RandomAccess.Read(_file, buffer.AsSpan(0, wanted), offset);
                if (read == 0) throw new StagingLostException(_sessionId);
                digest.Append(buffer.AsSpan(0, read));
                offset += read;
            }

            return digest;
        }
        catch
        {
            digest.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
