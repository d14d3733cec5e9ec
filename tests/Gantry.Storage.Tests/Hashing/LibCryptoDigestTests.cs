using System.Security.Cryptography;
using Gantry.Oci;
using Gantry.Storage.Hashing;

namespace Gantry.Storage.Tests.Hashing;

public sealed class LibCryptoDigestTests
{
    private static readonly byte[] Text = [.. Enumerable.Range(0, 1000).Select(n => (byte)(n * 7))];

    [Fact]
    public void Libcrypto_IsThere() =>
        Assert.True(LibCrypto.IsAvailable, "libcrypto.so.3 is missing or answers wrong: apt-get install libssl3");

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public void Digest_SavedAndResumedAnywhere_IsThePlatforms(DigestAlgorithm algorithm)
    {
        var expected = Convert.ToHexStringLower(algorithm == DigestAlgorithm.Sha256 ? SHA256.HashData(Text) : SHA512.HashData(Text));
        int[] around = [255, 256, 257, 383, 384, 385, 447, 448, 449, 511, 512, 513, 895, 896, 897, 999, 1000];
        foreach (var cut in Enumerable.Range(0, 201).Concat(around))
        {
            using var first = new LibCryptoDigest(algorithm);
            first.Append(Text.AsSpan(0, cut));
            Assert.Equal(Digest.Of(Text.AsSpan(0, cut), algorithm), first.Current());

            using var second = RunningDigest.Resume(algorithm, cut, first.Save());
            Assert.NotNull(second);
            second.Append(Text.AsSpan(cut));
            Assert.Equal(expected, second.Current().Hex);
            Assert.Equal(expected, second.Current().Hex);
        }
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public void RollBack_ForgetsWhatCameAfterTheMark(DigestAlgorithm algorithm)
    {
        using var digest = RunningDigest.Start(algorithm);
        digest.Append(Text.AsSpan(0, 130));
        digest.Mark();
        digest.Append(Text);
        Assert.True(digest.TryRollBack());
        Assert.Equal(Digest.Of(Text.AsSpan(0, 130), algorithm), digest.Current());
    }

    [Fact]
    public void Rejects_StatesThatAreNotItsOwn()
    {
        using var digest = new LibCryptoDigest(DigestAlgorithm.Sha256);
        digest.Append(Text.AsSpan(0, 100));
        var saved = digest.Save();
        Assert.NotNull(RunningDigest.Resume(DigestAlgorithm.Sha256, 100, saved));

        Assert.Null(RunningDigest.Resume(DigestAlgorithm.Sha256, 101, saved));
        Assert.Null(RunningDigest.Resume(DigestAlgorithm.Sha512, 100, saved));
        Assert.Null(RunningDigest.Resume(DigestAlgorithm.Sha256, 100, saved.AsSpan(0, 112)));
        Assert.Null(RunningDigest.Resume(DigestAlgorithm.Sha256, 100, []));

        // Version; count of bits, low and high; fill of the block, with which libcrypto would write out of bounds; length.
        foreach (var at in (int[])[0, 1 + 32, 1 + 36, 1 + 104, 1 + 107, 1 + 108])
        {
            var damaged = saved.ToArray();
            damaged[at] ^= 0x40;
            Assert.Null(RunningDigest.Resume(DigestAlgorithm.Sha256, 100, damaged));
        }
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public void Incremental_GivesTheSameDigests_AndNoState(DigestAlgorithm algorithm)
    {
        using var digest = new IncrementalDigest(algorithm);
        for (var at = 0; at < Text.Length; at += 125)
        {
            digest.Append(Text.AsSpan(at, 125));
            Assert.Equal(Digest.Of(Text.AsSpan(0, at + 125), algorithm), digest.Current());
        }

        Assert.Null(digest.Save());
        Assert.False(digest.TryRollBack());
    }
}
