using Gantry.Oci;

namespace Gantry.Storage.Hashing;

/// <summary>
/// A digest computed while bytes flow by. Where libcrypto is there its state can be saved in the session row and taken
/// up by any process; elsewhere it lives in this process alone and <see cref="Save"/> returns null.
/// </summary>
internal abstract class RunningDigest(DigestAlgorithm algorithm) : IDisposable
{
    public DigestAlgorithm Algorithm { get; } = algorithm;

    public static RunningDigest Start(DigestAlgorithm algorithm) =>
        LibCrypto.IsAvailable ? new LibCryptoDigest(algorithm) : new IncrementalDigest(algorithm);

    /// <summary>
    /// Takes up what <see cref="Save"/> returned after <paramref name="length"/> bytes. Null where this process cannot
    /// read it (no libcrypto, another version or byte order, damaged): the caller reads the bytes back.
    /// </summary>
    public static RunningDigest? Resume(DigestAlgorithm algorithm, long length, ReadOnlySpan<byte> saved) =>
        LibCrypto.IsAvailable ? LibCryptoDigest.Resume(algorithm, length, saved) : null;

    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>The digest so far; more may be appended afterwards.</summary>
    public abstract Digest Current();

    /// <summary>The state so far, or null where it cannot leave this process.</summary>
    public abstract byte[]? Save();

    /// <summary>Remembers this point for <see cref="TryRollBack"/>.</summary>
    public abstract void Mark();

    /// <summary>Forgets what was appended since <see cref="Mark"/>; false where that cannot be done.</summary>
    public abstract bool TryRollBack();

    public abstract void Dispose();
}
