using System.Text;

namespace Gantry.Layers.Tests;

/// <summary>Names as paths, and what a whiteout's name says.</summary>
public sealed class EntryNameTests
{
    [Theory]
    [Trait("Pull", "B11")]
    [Trait("Pull", "B13")]
    [InlineData("a/b", "a|b")]
    [InlineData("/a/b", "a|b")]
    [InlineData("./a/b/", "a|b")]
    [InlineData("//a///./b/.", "a|b")]
    [InlineData("...", "...")]
    [InlineData("..a/b..", "..a|b..")]
    [InlineData(".a", ".a")]
    [InlineData("", "")]
    [InlineData("/", "")]
    [InlineData("./", "")]
    [InlineData(".", "")]
    [InlineData("//././", "")]
    public void Split_NamesOfTheSamePath_GivesItsComponents(string name, string expected) => Assert.Equal(expected, string.Join('|', Components(name)));

    [Theory]
    [Trait("Pull", "B12")]
    [Trait("Pull", "C1")]
    [Trait("Pull", "C2")]
    [Trait("Pull", "C22")]
    [InlineData("../canary")]
    [InlineData("a/../../canary")]
    [InlineData("a/../b")]
    [InlineData("..")]
    [InlineData("a/..")]
    [InlineData("/../etc/passwd")]
    [InlineData("../.wh.canary")]
    [InlineData("././..//a")]
    public void Split_NameThatLeadsUpwards_Refuses(string name) => Refused(() => Components(name));

    [Theory]
    [Trait("Pull", "C4")]
    [InlineData("..\\canary")]
    [InlineData("a\\..\\..\\b")]
    [InlineData("%2e%2e")]
    public void Split_WhatMeansNothingOnLinux_IsAName(string name) => Assert.Equal([name], Components(name));

    [Fact]
    [Trait("Pull", "B26")]
    public void Split_TooLong_Refuses()
    {
        Assert.Single(Components(new string('n', 255)));
        Refused(() => Components(new string('n', 256)));
        Refused(() => Components("a/" + new string('n', 256) + "/b"));
        Assert.Equal(16, Components("/" + string.Join('/', Enumerable.Repeat(new string('n', 255), 16))).Count);
        Refused(() => Components(string.Join('/', Enumerable.Repeat(new string('n', 255), 16)) + "/n"));
        Assert.Equal(2048, Components(string.Concat(Enumerable.Repeat("a/", 2048))).Count);
        Refused(() => Components(string.Concat(Enumerable.Repeat("a/", 2049))));
        Assert.Equal(["a"], Components(string.Concat(Enumerable.Repeat("./", 100_000)) + "a"));
    }

    [Fact]
    [Trait("Pull", "C28")]
    public void Split_Nul_RefusesAndShowsNoControlCharacters()
    {
        var failure = Refused(() => Components("a\u001b[2J\0b"));
        Assert.DoesNotContain(failure.Message, char.IsControl);
    }

    [Theory]
    [Trait("Pull", "B50")]
    [Trait("Pull", "B53")]
    [Trait("Pull", "B56")]
    [Trait("Pull", "B60")]
    [InlineData("a", WhiteoutKind.None)]
    [InlineData(".wh", WhiteoutKind.None)]
    [InlineData(".WH.a", WhiteoutKind.None)]
    [InlineData("a.wh.b", WhiteoutKind.None)]
    [InlineData("", WhiteoutKind.None)]
    [InlineData(".wh.a", WhiteoutKind.Removed)]
    [InlineData(".wh.wh.a", WhiteoutKind.Removed)]
    [InlineData(".wh....", WhiteoutKind.Removed)]
    [InlineData(".wh..a", WhiteoutKind.Removed)]
    [InlineData(".wh..wh", WhiteoutKind.Removed)]
    [InlineData(".wh..wh..opq", WhiteoutKind.Opaque)]
    [InlineData(".wh..wh..opqx", WhiteoutKind.Ignored)]
    [InlineData(".wh..wh.plnk", WhiteoutKind.Ignored)]
    [InlineData(".wh..wh.aufs", WhiteoutKind.Ignored)]
    [InlineData(".wh..wh.orph", WhiteoutKind.Ignored)]
    public void Whiteout_Name_SaysItsKind(string name, WhiteoutKind expected) => Assert.Equal(expected, EntryName.Whiteout(Encoding.UTF8.GetBytes(name)));

    [Theory]
    [Trait("Pull", "B58")]
    [Trait("Pull", "C22")]
    [InlineData(".wh.")]
    [InlineData(".wh..")]
    [InlineData(".wh...")]
    public void Whiteout_OfNothingOrOfTheDirectoriesAround_Refuses(string name) => Refused(() => EntryName.Whiteout(Encoding.UTF8.GetBytes(name)));

    private static LayerException Refused(Action action)
    {
        var failure = Assert.Throws<LayerException>(action);
        Assert.Equal(LayerFault.Path, failure.Fault);
        return failure;
    }

    private static List<string> Components(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        List<Range> components = [0..1];
        EntryName.Split(bytes, components);
        return [.. components.Select(range => Encoding.UTF8.GetString(bytes[range]))];
    }
}
