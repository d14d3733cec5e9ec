using FsCheck;
using FsCheck.Fluent;

namespace Gantry.Oci.Tests.Names;

public sealed class TagNameTests
{
    [Theory]
    [InlineData("latest")]
    [InlineData("_")]
    [InlineData("__a")]
    [InlineData("1.0.0-rc.1_x")]
    [InlineData("v1..2--3")]
    [InlineData("Z")]
    [InlineData("sha256-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a.sig")]
    public void Accepts_Grammar(string text)
    {
        Assert.True(TagName.TryParse(text, out var tag));
        Assert.Equal(text, tag.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".a")]
    [InlineData("-a")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a:b")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("a\0")]
    [InlineData("é")]
    [InlineData("a+b")]
    [InlineData("a%2e")]
    [Trait("Protocol", "D3.43")]
    public void Rejects_Others(string? text)
    {
        Assert.False(TagName.TryParse(text, out _));
        Assert.Throws<FormatException>(() => TagName.Parse(text));
    }

    [Fact]
    public void Length_IsBoundedAt128()
    {
        Assert.True(TagName.TryParse(new string('a', 128), out _));
        Assert.False(TagName.TryParse(new string('a', 129), out _));
    }

    [Fact]
    public void Grammar_AgreesWithReference()
    {
        Prop.ForAll<string>(text => TagName.TryParse(text, out _) == IsTag(text)).QuickCheckThrowOnFailure();

        var random = new Random(Fuzz.NewSeed());
        for (var i = 0; i < 50_000; i++)
        {
            var word = Fuzz.Word(random, 140, "a", "Z", "9", "_", ".", "-");
            Assert.Equal(IsTag(word), TagName.TryParse(word, out _));
        }
    }

    private static bool IsTag(string? text)
    {
        static bool IsWord(char c) => c == '_' || char.IsAsciiLetterOrDigit(c);
        return text is { Length: > 0 and <= 128 } && IsWord(text[0]) && text.All(c => IsWord(c) || c is '.' or '-');
    }
}
