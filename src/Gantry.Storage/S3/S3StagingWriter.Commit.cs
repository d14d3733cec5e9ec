using System.Security.Cryptography;
using Gantry.Oci;
using Gantry.Storage.Hashing;

namespace Gantry.Storage.S3;

/// <summary>The end of an upload, and its digest where that needs the bytes again.</summary>
internal sealed partial class S3StagingWriter
{
    private const int ReadBytes = PartMemory.BlockBytes;

    public async ValueTask<BlobLocation> CommitAsync(CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        cancellationToken.ThrowIfCancellationRequested();
        if (_committed is { } before) return before;
        if (IsSealed || _parts.Count > 0)
        {
            await PutTogetherAsync(cancellationToken);
            _committed = S3Keys.LocationOf(_sessionId, _multipart!.Suffix);
        }
        else
        {
            // Less than a part: one object, whose key no multipart upload has.
            var location = S3Keys.LocationOf(_sessionId, _multipart is null ? _suffix : S3Keys.NewSuffix());
            using var head = _pieces.Count == 0 ? null : await FetchPiecesAsync(cancellationToken);
            await using var content = new PartStream(head, _filling);
            await _objects.PutAsync(_connection.Keys.KeyOf(location), content, cancellationToken);
            Failpoint.Hit("s3-commit-object-written");
            (IsSealed, _committed) = (true, location);
        }

        DropFilling();
        return _committed.Value;
    }

    public async ValueTask<Digest> DigestAsync(DigestAlgorithm algorithm, CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        if (_digest is not null && algorithm == _algorithm) return _digest.Current();
        if (_readBack is { } known && known.Offset == Offset && known.Digest.Algorithm == algorithm) return known.Digest;

        // Parts cannot be read before they are put together.
        if (_parts.Count > 0) await PutTogetherAsync(cancellationToken);
        var read = await ReadBackAsync(algorithm, IsSealed ? SealedKey : null, cancellationToken);
        var digest = read.Current();
        _readBack = (Offset, digest);

        // What was lost is found again: later appends go on from it.
        if (algorithm == _algorithm) _digest = read;
        else read.Dispose();
        return digest;
    }

    /// <summary>Makes one object of the parts, the last of which is what still waits. Done once; after a fault it may be asked for again.</summary>
    private async ValueTask PutTogetherAsync(CancellationToken cancellationToken)
    {
        if (IsSealed) return;
        if (_pieces.Count > 0 || _filling is not null)
        {
            using var head = _pieces.Count == 0 ? null : await FetchPiecesAsync(cancellationToken);
            var bytes = (head?.Length ?? 0) + (_filling?.Length ?? 0);
            var tag = await PutPartAsync(_parts.Count + 1, head, _filling, cancellationToken);
            _parts.Add(new Part(bytes, tag));
            _lastPartIsSent = true;
            SpendPieces();
            DropFilling();
        }

        var key = KeyOf(_multipart!);
        try
        {
            await _objects.CompleteAsync(key, _multipart!.UploadId, _parts, cancellationToken);
        }
        catch (Exception fault) when (S3Faults.IsOfTheSdk(fault) && !cancellationToken.IsCancellationRequested)
        {
            if (!await IsThereAsync(key, cancellationToken)) throw await WhyNotAsync(key, fault, cancellationToken);
        }

        IsSealed = _isPutTogether = true;
        Failpoint.Hit("s3-commit-completed");
    }

    /// <summary>
    /// After a completion whose answer was lost, or that another writer of the upload came before: whether the object has
    /// our bytes. Its length, and the ETag that follows from the parts'; where a store makes those otherwise, its digest.
    /// </summary>
    private async ValueTask<bool> IsThereAsync(string key, CancellationToken cancellationToken)
    {
        if (await _objects.HeadAsync(key, cancellationToken) is not { } found || found.Length != Offset) return false;
        if (found.ETag == ETagOf(_parts)) return true;
        if (_digest?.Current() is not { } expected) return false;
        using var read = await ReadBackAsync(_algorithm, key, cancellationToken);
        return read.Current() == expected;
    }

    private async ValueTask<Exception> WhyNotAsync(string key, Exception fault, CancellationToken cancellationToken)
    {
        // InvalidPart: a writer that was overtaken has sent other bytes as one of our parts.
        var isLost = S3Faults.IsMultipartGone(fault) || S3Faults.IsInvalidPart(fault)
            || (S3Faults.IsServerError(fault) && !await _objects.HasUploadAsync(key, _multipart!.UploadId, cancellationToken));
        return isLost ? new StagingLostException(_sessionId) : S3Faults.Of("complete an upload", fault);
    }

    private static string? ETagOf(List<Part> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        foreach (var part in parts)
        {
            if (part.ETag.Trim('"') is not { Length: 32 } hex || !hex.All(char.IsAsciiHexDigit)) return null;
            hash.AppendData(Convert.FromHexString(hex));
        }

        return $"\"{Convert.ToHexStringLower(hash.GetHashAndReset())}-{parts.Count}\"";
    }

    private string SealedKey => _connection.Keys.KeyOf(_committed ?? S3Keys.LocationOf(_sessionId, _multipart!.Suffix));

    /// <param name="algorithm">Of the digest.</param>
    /// <param name="key">The object; null: the pieces, and what is in memory.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async ValueTask<RunningDigest> ReadBackAsync(DigestAlgorithm algorithm, string? key, CancellationToken cancellationToken)
    {
        var digest = RunningDigest.Start(algorithm);
        try
        {
            if (key is not null)
            {
                await using var whole = await S3Download.OpenAsync(_connection, key, range: null, cancellationToken)
                    ?? throw new StagingLostException(_sessionId);
                await HashAsync(whole, digest, cancellationToken);
                return digest;
            }

            foreach (var piece in _pieces)
            {
                await using var download = await OpenPieceAsync(piece, cancellationToken);
                await HashAsync(download, digest, cancellationToken);
            }

            for (long at = 0; _filling is not null && at < _filling.Length;)
            {
                var slice = _filling.Slice(at);
                digest.Append(slice.Span);
                at += slice.Length;
            }

            return digest;
        }
        catch
        {
            digest.Dispose();
            throw;
        }
    }

    private async ValueTask HashAsync(S3Download download, RunningDigest digest, CancellationToken cancellationToken)
    {
        var block = _connection.Memory.Rent();
        try
        {
            for (var left = download.Length; left > 0;)
            {
                var read = await download.ReadAsync(block.AsMemory(0, (int)Math.Min(left, ReadBytes)), cancellationToken);
                digest.Append(block.AsSpan(0, read));
                left -= read;
            }
        }
        finally
        {
            _connection.Memory.Return(block);
        }
    }
}
