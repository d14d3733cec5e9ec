using System.Runtime.InteropServices;
using Gantry.Oci;

namespace Gantry.Storage.Hashing;

/// <summary>
/// libcrypto's SHA256_CTX or SHA512_CTX, kept in our own memory. Its layout is public and has not changed since
/// OpenSSL 0.9.8: hash words, the count of bits (low, high), one block of data, how much of it is filled, digest length.
/// <para>Saved form: one byte for the version of this format, then the context as it lies in memory. A resumed state is
/// checked field by field first, because libcrypto trusts the fill count and would write past the block.</para>
/// </summary>
internal sealed class LibCryptoDigest : RunningDigest
{
    internal const byte FormatVersion = 1;

    private readonly ulong[] _context;
    private readonly ulong[] _marked;

    public LibCryptoDigest(DigestAlgorithm algorithm) : base(algorithm)
    {
        _context = new ulong[Size(algorithm) / sizeof(ulong)];
        _marked = new ulong[_context.Length];
        LibCrypto.Init(algorithm, _context);
    }

    /// <inheritdoc cref="RunningDigest.Resume"/>
    public static new LibCryptoDigest? Resume(DigestAlgorithm algorithm, long length, ReadOnlySpan<byte> saved)
    {
        if (saved.Length != 1 + Size(algorithm) || saved[0] != FormatVersion) return null;

        var digest = new LibCryptoDigest(algorithm);
        saved[1..].CopyTo(MemoryMarshal.AsBytes(digest._context.AsSpan()));
        return digest.Holds(length) ? digest : null;
    }

    public override void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 0) LibCrypto.Update(Algorithm, _context, bytes);
    }

    public override Digest Current()
    {
        Span<ulong> copy = stackalloc ulong[_context.Length];
        _context.CopyTo(copy);
        Span<byte> hash = stackalloc byte[Algorithm.HashBytes()];
        LibCrypto.Final(Algorithm, copy, hash);
        return Digest.FromHash(Algorithm, hash);
    }

    public override byte[] Save() => [FormatVersion, .. MemoryMarshal.AsBytes(_context.AsSpan())];

    public override void Mark() => _context.CopyTo(_marked, 0);

    public override bool TryRollBack()
    {
        _marked.CopyTo(_context, 0);
        return true;
    }

    public override void Dispose()
    {
    }

    private static int Size(DigestAlgorithm algorithm) => algorithm == DigestAlgorithm.Sha256 ? 112 : 216;

    /// <summary>True where <paramref name="length"/> bytes can lead to this context; a foreign byte order cannot.</summary>
    private bool Holds(long length)
    {
        var context = MemoryMarshal.AsBytes(_context.AsSpan());
        var bits = (UInt128)(ulong)length << 3;
        var (count, block) = Algorithm == DigestAlgorithm.Sha256
            ? (MemoryMarshal.Read<uint>(context[32..]) | (UInt128)MemoryMarshal.Read<uint>(context[36..]) << 32, 64)
            : (_context[8] | (UInt128)_context[9] << 64, 128);
        var filled = MemoryMarshal.Read<uint>(context[^8..]);
        var digestBytes = MemoryMarshal.Read<uint>(context[^4..]);
        return count == bits && filled == (ulong)length % (ulong)block && digestBytes == Algorithm.HashBytes();
    }
}
