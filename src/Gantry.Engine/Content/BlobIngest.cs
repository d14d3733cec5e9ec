using System.Buffers;
using System.Security.Cryptography;
using Gantry.Engine.Images;
using Gantry.Oci;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Content;

/// <summary>
/// Fills one blob's file: 1. hashes what an earlier run left, 2. fetches the rest, no byte more than the descriptor says, 3. compares the digest, 4. publishes. It has
/// the blob's lock until it ends. What was fetched stays when it fails on the way, and goes when the digest is wrong.
/// </summary>
/// <remarks>Memory: two blocks of 256 KiB, one hashed and written while the other one is filled.</remarks>
internal sealed class BlobIngest(ContentReference blob, string path, string target, SafeFileHandle file, BlobReading reading, FileLock held)
{
    public const int BlockBytes = 256 * 1024;

    /// <summary>So much is handed to the disk at a time while it comes: the fsync at the end then waits for the last piece alone.</summary>
    private const long WritebackBytes = 8 << 20;

    private long _offset, _writtenBack;

    public async Task RunAsync(IBlobSource source, Action<long>? progress, CancellationToken ct)
    {
        try
        {
            using var hash = blob.Digest.Algorithm.CreateHash();
            var found = HashWhatIsThere(hash, progress, ct);
            if (found < blob.Size) await FetchAsync(source, hash, progress, ct);

            var digest = Digest.FromHash(blob.Digest.Algorithm, hash.GetHashAndReset());
            if (digest != blob.Digest) throw Discarded(found, digest);
            reading.Verified();

            BlobStore.Publish(file, path, target);
            held.Remove();
        }
        finally
        {
            held.Dispose();
        }
    }

    public static Digest DigestOf(SafeFileHandle file, long length, DigestAlgorithm algorithm)
    {
        using var hash = algorithm.CreateHash();
        var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        for (long at = 0; at < length;)
        {
            var count = RandomAccess.Read(file, block.AsSpan(0, BlockBytes), at);
            if (count == 0) break;
            hash.AppendData(block, 0, count);
            at += count;
        }

        ArrayPool<byte>.Shared.Return(block);
        return Digest.FromHash(algorithm, hash.GetHashAndReset());
    }

    /// <summary>Readers may go on with it at once: should it turn out wrong, they fail together with this.</summary>
    private long HashWhatIsThere(IncrementalHash hash, Action<long>? progress, CancellationToken ct)
    {
        var there = RandomAccess.GetLength(file);
        if (there > blob.Size) RandomAccess.SetLength(file, there = 0);
        var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            while (_offset < there)
            {
                ct.ThrowIfCancellationRequested();
                var count = RandomAccess.Read(file, block.AsSpan(0, (int)Math.Min(BlockBytes, there - _offset)), _offset);
                if (count == 0) break;
                hash.AppendData(block, 0, count);
                Advance(count, progress);
            }

            return _offset;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private async Task FetchAsync(IBlobSource source, IncrementalHash hash, Action<long>? progress, CancellationToken ct)
    {
        await using var body = await source.OpenBlobAsync(blob, _offset, ct);
        var (filling, filled) = (ArrayPool<byte>.Shared.Rent(BlockBytes), ArrayPool<byte>.Shared.Rent(BlockBytes));
        Task<int>? next = null;
        try
        {
            next = FillAsync(body, filling, ct);
            while (await next is var count and > 0)
            {
                (filling, filled) = (filled, filling);
                // Nothing of what is too much is hashed or written.
                if (count > blob.Size - _offset)
                    throw new EngineException(EngineFault.Mismatch, $"{blob.Digest} is longer than the {blob.Size} bytes that its descriptor says");
                next = FillAsync(body, filling, ct);
                hash.AppendData(filled, 0, count);
                RandomAccess.Write(file, filled.AsSpan(0, count), _offset);
                Advance(count, progress);
                Failpoint.Hit("blob-block");
            }
        }
        finally
        {
            // A read under way writes into its block until it ends; the body is closed only after this.
            if (next is not null) await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ArrayPool<byte>.Shared.Return(filling);
            ArrayPool<byte>.Shared.Return(filled);
        }

        if (_offset < blob.Size) throw new EngineException(EngineFault.Mismatch, $"{blob.Digest} ended after {_offset} of the {blob.Size} bytes that its descriptor says");
    }

    /// <summary>Not every small piece of the network is worth a system call and a hash update of its own.</summary>
    private static Task<int> FillAsync(Stream body, byte[] block, CancellationToken ct) =>
        body.ReadAtLeastAsync(block.AsMemory(0, BlockBytes), BlockBytes / 4, throwOnEndOfStream: false, ct).AsTask();

    private void Advance(int count, Action<long>? progress)
    {
        _offset += count;
        reading.Advance(_offset);
        progress?.Invoke(_offset);
        if (_offset - _writtenBack < WritebackBytes) return;
        StoreFile.BeginWriteback(file, _writtenBack, _offset - _writtenBack);
        _writtenBack = _offset;
    }

    private Exception Discarded(long found, Digest digest)
    {
        RandomAccess.SetLength(file, 0);
        // What an earlier run left may be at fault (it was never made durable): that is no verdict on the source.
        return found > 0
            ? new StaleContentException($"what was there of {blob.Digest} was damaged")
            : new EngineException(EngineFault.Mismatch, $"what came as {blob.Digest} is {digest}");
    }
}

/// <summary>The bytes of an earlier run were wrong and are gone; the same call again starts from nothing.</summary>
internal sealed class StaleContentException(string message) : Exception(message);
