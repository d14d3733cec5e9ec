using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;

namespace Gantry.Oci.Tests.Names;

public sealed class RepositoryNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("library/debian")]
    [InlineData("a__b")]
    [InlineData("a_b")]
    [InlineData("a-b")]
    [InlineData("a--b---c")]
    [InlineData("a.b")]
    [InlineData("a.b_c-d__e/f.g")]
    [InlineData("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p")]
    [InlineData("blobs/uploads/manifests/tags/list/referrers/v2")]
    [InlineData("a/blobs")]
    [InlineData("a/manifests/latest")]
    [Trait("Protocol", "D3.54")]
    public void Accepts_Grammar(string text)
    {
        Assert.True(RepositoryName.TryParse(text, out var name));
        Assert.Equal(text, name.ToString());
        Assert.Equal(name, RepositoryName.Parse(text));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("A")]
    [InlineData("a/B")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData(".a")]
    [InlineData("a.")]
    [InlineData("a..b")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("_a")]
    [InlineData("a_")]
    [InlineData("a___b")]
    [InlineData("a._b")]
    [InlineData("a_-b")]
    [InlineData("a-.b")]
    [InlineData("a%2Fb")]
    [InlineData("a\\b")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("\na")]
    [InlineData("a\0")]
    [InlineData("é")]
    [InlineData("١")]
    [InlineData("a:b")]
    [InlineData("a@b")]
    [Trait("Protocol", "D5.78")]
    public void Rejects_Others(string? text)
    {
        Assert.False(RepositoryName.TryParse(text, out _));
        Assert.Throws<FormatException>(() => RepositoryName.Parse(text));
    }

    [Fact]
    public void Length_IsBoundedAt255()
    {
        Assert.True(RepositoryName.TryParse(new string('a', 255), out _));
        Assert.False(RepositoryName.TryParse(new string('a', 256), out _));
        Assert.True(RepositoryName.TryParse(string.Concat(Enumerable.Repeat("a/", 127)) + "a", out _));
        Assert.False(RepositoryName.TryParse(string.Concat(Enumerable.Repeat("a/", 127)) + "aa", out _));
        Assert.False(RepositoryName.TryParse(new string('a', 4_000_000), out _));
    }

    [Fact]
    public void Grammar_AgreesWithReference_OnEveryShortWord()
    {
        const string Alphabet = "a._-/";
        var words = new List<string> { "" };
        for (var from = 0; words[^1].Length < 7; from++)
            words.AddRange(Alphabet.Select(c => words[from] + c));

        Assert.All(words, word => Assert.Equal(IsName(word), RepositoryName.TryParse(word, out _)));
    }

    [Fact]
    public void Grammar_AgreesWithReference_OnRandomWords()
    {
        var words = Gen.Elements("a", "z", "0", "9", ".", "_", "__", "-", "/", "blobs", "A", "é", "\n").ListOf().Select(string.Concat);
        Prop.ForAll(words.ToArbitrary(), word => RepositoryName.TryParse(word, out _) == IsName(word))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));
    }

    [Fact]
    public void Fuzz_NeverThrows()
    {
        var random = new Random(Fuzz.NewSeed());
        for (var i = 0; i < 50_000; i++)
        {
            var word = Fuzz.Word(random, 40, "a", "/", "..", "__", "--", "%2F", "blobs/", "uploads");
            Assert.Equal(IsName(word), RepositoryName.TryParse(word, out _));
        }
    }

    /// <summary>The specification's own grammar.</summary>
    private static bool IsName(string text) =>
        text.Length <= 255 && Regex.IsMatch(text, @"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking);
}
