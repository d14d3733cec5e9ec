using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Gantry.Oci.Tests.Names;

public sealed class DigestTests
{
    [Theory]
    [InlineData(SampleDocuments.Sha256, DigestAlgorithm.Sha256)]
    [InlineData(SampleDocuments.Sha512, DigestAlgorithm.Sha512)]
    [Trait("Protocol", "D3.58")]
    public void Accepts_KnownAlgorithms(string text, DigestAlgorithm algorithm)
    {
        Assert.True(Digest.TryParse(text, out var digest));
        Assert.Equal(algorithm, digest.Algorithm);
        Assert.Equal(text, digest.ToString());
        Assert.Equal(text, $"{algorithm.Name()}:{digest.Hex}");
        Assert.Equal(digest, Digest.Of("{}"u8, algorithm));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8")]
    [InlineData("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a0")]
    [InlineData("sha256:44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A")]
    [InlineData("SHA256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    [InlineData("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8g")]
    [InlineData("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8\n")]
    [InlineData(" sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    [InlineData("sha512:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    [InlineData("sha384:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256::4136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../../../etc/pwd")]
    [Trait("Protocol", "D3.43")]
    public void Rejects_Others(string? text)
    {
        Assert.False(Digest.TryParse(text, out _));
        Assert.Throws<FormatException>(() => Digest.Parse(text));
    }

    [Fact]
    public void Of_RoundTrips() => Prop.ForAll<byte[]>(bytes =>
    {
        foreach (var algorithm in Enum.GetValues<DigestAlgorithm>())
        {
            var digest = Digest.Of(bytes, algorithm);
            Assert.Equal(digest, Digest.Parse(digest.ToString()));
            Assert.Equal(algorithm.HashBytes() * 2, digest.Hex.Length);
            Assert.Equal(digest, Digest.FromHash(algorithm, Convert.FromHexString(digest.Hex)));
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Order_IsOrdinal()
    {
        var digests = Enumerable.Range(0, 50).Select(i => Digest.Of(Encoding.UTF8.GetBytes($"{i}"))).ToArray();
        Assert.Equal(digests.Select(d => d.ToString()).Order(StringComparer.Ordinal), digests.Order().Select(d => d.ToString()));
    }

    [Fact]
    public void Default_IsNoDigest() => Assert.Throws<InvalidOperationException>(() => default(Digest).ToString());

    [Fact]
    public void FromHash_OfWrongLength_IsAFault() =>
        Assert.ThrowsAny<ArgumentException>(() => Digest.FromHash(DigestAlgorithm.Sha512, SHA256.HashData([])));

    [Fact]
    public void Fuzz_NeverThrows()
    {
        var random = new Random(Fuzz.NewSeed());
        for (var i = 0; i < 50_000; i++)
        {
            var word = Fuzz.Word(random, 140, "sha256:", "sha512:", "0", "f", SampleDocuments.Sha256[7..], SampleDocuments.Sha512[7..]);
            if (!Digest.TryParse(word, out var digest)) continue;
            Assert.Equal(word, digest.ToString());
            Assert.DoesNotContain(word, c => c is not (':' or (>= 'a' and <= 'z') or (>= '0' and <= '9')));
        }
    }
}
