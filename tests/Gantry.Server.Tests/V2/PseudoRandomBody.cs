using System.Net;
using System.Security.Cryptography;
using Gantry.Oci;

namespace Gantry.Server.Tests.V2;

/// <summary>
/// A body of any length made as it is sent, in pieces of 1 MiB: each differs from the last, and from those of another
/// seed. Its digest is known without keeping a byte.
/// </summary>
internal sealed class PseudoRandomBody(int seed, int mebibytes) : HttpContent
{
    private const int Piece = 1024 * 1024;

    public long Length => (long)mebibytes * Piece;

    public Digest Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var piece in Pieces()) hash.AppendData(piece);
        return Oci.Digest.FromHash(DigestAlgorithm.Sha256, hash.GetHashAndReset());
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        foreach (var piece in Pieces()) await stream.WriteAsync(piece);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = Length;
        return true;
    }

    // One buffer for the whole body: a piece is valid until the next is asked for.
    private IEnumerable<byte[]> Pieces()
    {
        var piece = new byte[Piece];
        new Random(seed).NextBytes(piece);
        for (var i = 0; i < mebibytes; i++)
        {
            BitConverter.TryWriteBytes(piece.AsSpan(i % (Piece / 8) * 8), (long)seed << 32 | (uint)i);
            yield return piece;
        }
    }
}
