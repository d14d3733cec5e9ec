using System.Text;
using Gantry.Core.Look;
using Gantry.Server.Ui;

namespace Gantry.Server.Tests.Ui;

public sealed class ShownTextTests
{
    [Theory]
    [InlineData("plain <b> \"text\"\\", "plain <b> \"text\"\\")]
    [InlineData("lines\nand\ttabs", "lines\nand\ttabs")]
    [InlineData("grüße 👩‍🚀", "grüße 👩‍🚀")]
    [InlineData("a\u202eb\u0000\u001b\r\u2066", @"a\u{202e}b\u{0}\u{1b}\u{d}\u{2066}")]
    public void Text_ThatHidesSomething_SaysSo(string text, string shown) => Assert.Equal(shown, ShownText.Of(text));

    [Theory]
    [InlineData("as long as it may be", 20, "as long as it may be")]
    [InlineData("longer", 3, "lo…")]
    [InlineData("a😀b", 3, "a…")]
    [InlineData("\0longer", 3, @"\u{0}l…")]
    public void Text_ThatIsLong_IsCut_WhichIsSeen(string text, int most, string shown) => Assert.Equal(shown, ShownText.Of(text, most));

    [Fact]
    public void Start_NeverCutsACharacter() => Assert.Equal("a", ShownText.Start("a😀b", 2));

    [Theory]
    [InlineData(EntryKind.File, 0b110_100_100u, "-rw-r--r--")]
    [InlineData(EntryKind.Directory, 0b1_111_111_111u, "drwxrwxrwt")]
    [InlineData(EntryKind.File, 0b110_111_100_000u, "-rwsr-S---")]
    [InlineData(EntryKind.SymbolicLink, 0x1FFu, "lrwxrwxrwx")]
    public void Mode_IsAsLsWritesIt(EntryKind kind, uint mode, string text) => Assert.Equal(text, ModeText.Of(kind, mode));

    [Theory]
    [InlineData("""{"a":[1,{"b":"\u003cx\n"}],"c":{},"d":[]}""", "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"\\u003cx\\n\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}")]
    [InlineData("3", "3")]
    [InlineData("""{"a":null""", null)]
    [InlineData("not json", null)]
    public void Json_IsAMemberALine_AsItStandsThere(string json, string? lines) => Assert.Equal(lines, JsonLines.Of(Encoding.UTF8.GetBytes(json), 1000)?.Text);

    [Fact]
    public void Json_ThatIsDeepAndLong_IsCut()
    {
        var json = string.Concat(Enumerable.Repeat("[", 60)) + string.Join(',', Enumerable.Repeat('1', 1_000_000)) + string.Concat(Enumerable.Repeat("]", 60));
        var lines = JsonLines.Of(Encoding.UTF8.GetBytes(json), 10_000);
        Assert.True(lines!.Value.IsCut);
        Assert.Equal(10_000, lines.Value.Text.Length);
    }

    [Theory]
    [InlineData("/bin/sh -c #(nop)  CMD [\"x\"]", "CMD [\"x\"]")]
    [InlineData("/bin/sh -c apt-get update", "RUN apt-get update")]
    [InlineData("COPY . . # buildkit", "COPY . .")]
    public void Step_IsWithoutWhatBuildersPutAroundIt(string step, string text) => Assert.Equal(text, StepText.Of(step));

    [Fact]
    public void PackagePlace_IsInTheOrderOfTheList()
    {
        PackageChange[] changes = [.. new[] { ("apk", "z", (string?)null), ("dpkg", "g", "amd64"), ("dpkg", "g", "i386"), ("dpkg", "g++", "amd64"), ("dpkg", "g/x", "amd64"), ("dpkg", "h", "all") }
            .Select(package => new PackageChange(package.Item1, package.Item2, package.Item3, ["1"], ["2"]))];
        for (var index = 0; index < changes.Length; index++)
        {
            var place = PackagePlace.Parse(PackagePlace.Of(changes[index]).ToString())!.Value;
            Assert.Equal(changes[(index + 1)..], changes.SkipWhile(change => !place.IsBefore(change)));
        }

        Assert.Null(PackagePlace.Parse("dpkg/g"));
    }

    [Fact]
    public void Hex_IsAsHexdumpWritesIt() => Assert.Equal(
        "00000000  41 00 ff" + new string(' ', 3 * 13 + 1) + "  |A..|\n", HexLines.Of([0x41, 0, 0xFF]));
}
