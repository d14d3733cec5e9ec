using System.Security.Cryptography;
using Gantry.Oci;

namespace Gantry.Storage.Hashing;

/// <summary>For machines without libcrypto: the platform's hash, whose state cannot be saved.</summary>
internal sealed class IncrementalDigest(DigestAlgorithm algorithm) : RunningDigest(algorithm)
{
    private readonly IncrementalHash _hash = algorithm.CreateHash();

    public override void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    public override Digest Current() => Digest.FromHash(Algorithm, _hash.GetCurrentHash());

    public override byte[]? Save() => null;

    public override void Mark()
    {
    }

    public override bool TryRollBack() => false;

    public override void Dispose() => _hash.Dispose();
}
