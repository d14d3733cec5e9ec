using System.Buffers;
using System.Security.Cryptography;

namespace Gantry.Storage.S3;

/// <summary>
/// Where the objects lie, below the settings' prefix: <c>blobs/XX/ID-RRRRRRRR</c> what is committed, or will be by the
/// multipart upload of that key; <c>uploads/XX/ID/OFFSET-RRRRRRRR</c> the pieces that wait to become a part. ID is the
/// session's id in 32 hex digits, XX its last two, R random: no two writers ever write to one key.
/// </summary>
internal sealed class S3Keys(string prefix)
{
    private const string Blobs = "blobs", Uploads = "uploads";
    private const int IdLength = 32, SuffixLength = 8;
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    /// <summary>Says whose store it is.</summary>
    public string Owner => $"{prefix}owner";

    public static uint NewSuffix() => BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));

    public static BlobLocation LocationOf(Guid sessionId, uint suffix)
    {
        var id = sessionId.ToString("N");
        return new BlobLocation($"{Blobs}/{id.AsSpan(IdLength - 2)}/{id}-{suffix:x8}");
    }

    /// <summary>Locations come from the database, yet none may reach a request unless it has our own shape.</summary>
    /// <exception cref="ArgumentException">It was not made by <see cref="LocationOf"/>.</exception>
    public string KeyOf(BlobLocation location) => SessionOf(location.Value ?? "") is null
        ? throw new ArgumentException("not a location of this store", nameof(location))
        : prefix + location.Value;

    public string PieceOf(Guid sessionId, long offset, uint suffix) => $"{PiecesOf(sessionId)}{offset:x12}-{suffix:x8}";

    public string PiecesOf(Guid sessionId)
    {
        var id = sessionId.ToString("N");
        return $"{prefix}{Uploads}/{id.AsSpan(IdLength - 2)}/{id}/";
    }

    /// <summary>What every location of the session begins with.</summary>
    public string BlobsOf(Guid sessionId)
    {
        var id = sessionId.ToString("N");
        return $"{prefix}{Blobs}/{id.AsSpan(IdLength - 2)}/{id}-";
    }

    public string BlobsOf(byte shard) => $"{prefix}{Blobs}/{shard:x2}/";

    public string PiecesOf(byte shard) => $"{prefix}{Uploads}/{shard:x2}/";

    public string Probe(Guid process) => $"{prefix}probes/{process:N}";

    /// <summary>Null where the key is not a location's.</summary>
    public (Guid SessionId, BlobLocation Location)? ParseBlob(string key) =>
        key.StartsWith(prefix, StringComparison.Ordinal) && SessionOf(key[prefix.Length..]) is { } session
            ? (session, new BlobLocation(key[prefix.Length..])) : null;

    /// <summary>The session of a piece; null where the key is not a piece's.</summary>
    public Guid? ParsePiece(string key)
    {
        var start = prefix.Length + Uploads.Length + 4;
        if (key.Length <= start + IdLength || key[start + IdLength] != '/') return null;
        return IdOf(key.AsSpan(start, IdLength)) is { } session && key.StartsWith(PiecesOf(session), StringComparison.Ordinal) ? session : null;
    }

    private static Guid? SessionOf(string location)
    {
        var start = Blobs.Length + 4;
        return location.Length == start + IdLength + 1 + SuffixLength
            && location[start + IdLength] == '-'
            && !location.AsSpan(start + IdLength + 1).ContainsAnyExcept(LowerHex)
            && location.AsSpan().StartsWith($"{Blobs}/{location.AsSpan(start + IdLength - 2, 2)}/", StringComparison.Ordinal)
            ? IdOf(location.AsSpan(start, IdLength)) : null;
    }

    private static Guid? IdOf(ReadOnlySpan<char> text) =>
        !text.ContainsAnyExcept(LowerHex) && Guid.TryParseExact(text, "N", out var id) ? id : null;
}
