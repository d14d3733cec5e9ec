namespace Gantry.Oci.Tests.Names;

public sealed class ReferenceTests
{
    [Fact]
    public void Accepts_TagOrDigest()
    {
        Assert.True(Reference.TryParse("latest", out var tag));
        Assert.Equal("latest", tag.Tag?.ToString());
        Assert.Null(tag.Digest);

        Assert.True(Reference.TryParse(SampleDocuments.Sha512, out var digest));
        Assert.Equal(Digest.Parse(SampleDocuments.Sha512), digest.Digest);
        Assert.Null(digest.Tag);
        Assert.Equal(SampleDocuments.Sha512, digest.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("a:b")]
    [InlineData("sha256:abc")]
    [InlineData("latest@sha256:abc")]
    [InlineData("-x")]
    public void Rejects_Others(string? text) => Assert.False(Reference.TryParse(text, out _));

    [Fact]
    public void Fuzz_NeverThrowsAndIsOneOfTheTwo()
    {
        var random = new Random(Fuzz.NewSeed());
        for (var i = 0; i < 50_000; i++)
        {
            var word = Fuzz.Word(random, 140, "a", "_", "sha256:", SampleDocuments.Sha256, "@", ":");
            if (!Reference.TryParse(word, out var reference)) continue;
            Assert.Equal(word, reference.ToString());
            Assert.True(reference.Tag is null != reference.Digest is null);
        }
    }
}
