using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Gantry.Oci;

/// <summary>The digest algorithms a registry must know (image-spec, "Registered algorithms").</summary>
public enum DigestAlgorithm
{
    Sha256,
    Sha512,
}

/// <summary>
/// A content digest, <c>algorithm:hex</c> (image-spec, "Digests"). Only registered algorithms, only lowercase hex of
/// exactly the algorithm's length: a value of this type is safe in a path, a query and a header.
/// </summary>
public readonly record struct Digest : IComparable<Digest>
{
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");
    private readonly string? _value;

    private Digest(DigestAlgorithm algorithm, string value) => (Algorithm, _value) = (algorithm, value);

    public DigestAlgorithm Algorithm { get; }

    /// <summary>The hash in lowercase hex: 64 characters for sha256, 128 for sha512.</summary>
    public string Hex => ToString()[(Algorithm.Name().Length + 1)..];

    public static Digest Parse(string? text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException("not a digest of a known algorithm");

    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (colon < 0 || !DigestAlgorithms.TryParse(text.AsSpan(0, colon), out var algorithm)) return false;

        var hex = text.AsSpan(colon + 1);
        if (hex.Length != algorithm.HashBytes() * 2 || hex.ContainsAnyExcept(LowerHex)) return false;

        digest = new Digest(algorithm, text!);
        return true;
    }

    /// <summary>The digest of bytes that are in memory already; use a stream of the caller's for anything larger.</summary>
    public static Digest Of(ReadOnlySpan<byte> content, DigestAlgorithm algorithm = DigestAlgorithm.Sha256) =>
        FromHash(algorithm, algorithm == DigestAlgorithm.Sha256 ? SHA256.HashData(content) : SHA512.HashData(content));

    /// <summary>Wraps a finished hash; its length must be the algorithm's.</summary>
    public static Digest FromHash(DigestAlgorithm algorithm, ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, algorithm.HashBytes());
        return new Digest(algorithm, $"{algorithm.Name()}:{Convert.ToHexStringLower(hash)}");
    }

    public int CompareTo(Digest other) => string.CompareOrdinal(_value, other._value);

    public override string ToString() => _value ?? throw new InvalidOperationException("a digest was never set");
}

/// <summary>What differs from one algorithm to the next.</summary>
public static class DigestAlgorithms
{
    public static string Name(this DigestAlgorithm algorithm) =>
        algorithm == DigestAlgorithm.Sha256 ? "sha256" : "sha512";

    public static int HashBytes(this DigestAlgorithm algorithm) => algorithm == DigestAlgorithm.Sha256 ? 32 : 64;

    /// <summary>For bytes that come piece by piece; the caller disposes it.</summary>
    public static IncrementalHash CreateHash(this DigestAlgorithm algorithm) => IncrementalHash.CreateHash(
        algorithm == DigestAlgorithm.Sha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512);

    public static bool TryParse(ReadOnlySpan<char> name, out DigestAlgorithm algorithm)
    {
        algorithm = name is "sha512" ? DigestAlgorithm.Sha512 : DigestAlgorithm.Sha256;
        return name is "sha256" or "sha512";
    }
}
