using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Storage;

namespace Gantry.Core.Scrub;

/// <summary>Reads a blob from the store and compares.</summary>
public sealed class BlobReading(IBlobStore store, ScrubPace pace)
{
    /// <summary>At the slowest pace 17 minutes; a backend that asks another server for bytes does so once a piece.</summary>
    private const long PieceBytes = 64 * 1024 * 1024;

    /// <summary>What a blob costs at least: opening one is work too, and there may be a million of a few bytes.</summary>
    private const long LeastBytes = 64 * 1024;

    /// <param name="betweenPiecesAsync">Called every now and then while bytes are read.</param>
    /// <returns>Null: the bytes are right. Otherwise what there is instead.</returns>
    /// <exception cref="IOException">The store does not answer: nothing is known about the blob.</exception>
    internal async Task<BlobFault?> FindFaultAsync(BlobRow blob, Func<Task> betweenPiecesAsync, CancellationToken cancellationToken)
    {
        var digest = Digest.Parse(blob.Digest);
        if (blob.Size < LeastBytes) await pace.SpendAsync(LeastBytes - blob.Size, cancellationToken);

        var first = new BlobRange(0, Math.Min(blob.Size, PieceBytes));
        await using var reader = await store.OpenAsync(new BlobLocation(blob.Location), first, cancellationToken);
        if (reader is null) return new BlobFault("nothing", IsAbsent: true);
        if (reader.Length != blob.Size) return new BlobFault($"{reader.Length} bytes and not {blob.Size}", IsAbsent: false);

        using var hash = new PacedHash(digest.Algorithm, pace);
        for (long offset = 0; offset < blob.Size; offset += PieceBytes)
        {
            if (offset > 0) await betweenPiecesAsync();
            await reader.CopyToAsync(hash, offset, Math.Min(blob.Size - offset, PieceBytes), cancellationToken);
        }

        var actual = hash.Finish();
        return actual == digest ? null : new BlobFault($"{actual}", IsAbsent: false);
    }
}

/// <param name="Found">What lies there instead, in words.</param>
internal sealed record BlobFault(string Found, bool IsAbsent);
