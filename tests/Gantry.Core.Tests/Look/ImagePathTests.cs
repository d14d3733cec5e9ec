using System.ComponentModel.DataAnnotations;
using System.Text;
using Gantry.Core.Look;

namespace Gantry.Core.Tests.Look;

public sealed class ImagePathTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("/", "")]
    [InlineData("./usr//bin/", "usr/bin")]
    [InlineData("...", "...")]
    [InlineData(@"a\xff\\b", @"a\xff\\b")]
    public void Accepts_WhatPeopleWrite(string text, string expected)
    {
        Assert.True(ImagePath.TryParse(text, out var path));
        Assert.Equal(expected, path.ToString());
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a\0b")]
    [InlineData(@"a\b")]
    [InlineData(@"a\x0")]
    [InlineData(@"a\x00")]
    [InlineData(null)]
    public void Rejects_WhatIsNoPath(string? text) => Assert.False(ImagePath.TryParse(text, out _));

    [Fact]
    public void Rejects_WhatLinuxFindsTooLong()
    {
        Assert.True(ImagePath.TryParse(new string('a', 255), out _));
        Assert.False(ImagePath.TryParse(new string('a', 256), out _));
        Assert.False(ImagePath.TryParse(string.Join('/', Enumerable.Repeat("aaaaaaa", 513)), out _));
    }

    /// <summary>Whatever the bytes are, their text leads back to them and holds nothing that cannot be seen.</summary>
    [Fact]
    public void Text_OfAnyBytes_IsReadBack()
    {
        var random = new Random(1);
        string[] pieces = ["a", "\\", "x", "é", "\u202e", "\n", "\u200b", "😀", "\ufeff"];
        for (var round = 0; round < 5000; round++)
        {
            var bytes = new List<byte>();
            for (var count = random.Next(12); count > 0; count--)
            {
                if (random.Next(3) == 0) bytes.Add((byte)random.Next(256));
                else bytes.AddRange(Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
            }

            var text = ByteText.Of(bytes.ToArray());
            Assert.True(ByteText.TryRead(text, out var back), text);
            Assert.Equal(bytes, back);
            Assert.DoesNotContain(text, character => char.IsControl(character) || character is '\u202e' or '\u200b' or '\ufeff');
        }
    }

    [Fact]
    public void Options_AcceptTheDefaults_AndRejectAllThatIsOutOfRange()
    {
        Assert.Empty(Faults(new LookOptions()));
        Assert.Equal(4, Faults(new LookOptions { MaxEntries = 0, MaxBytes = 1, MaxMemory = 1, MaxTime = TimeSpan.Zero }).Count);
        Assert.Equal(4, Faults(new LookOptions { MaxEntries = long.MaxValue, MaxBytes = long.MaxValue, MaxMemory = long.MaxValue, MaxTime = TimeSpan.FromDays(2) }).Count);
    }

    private static List<ValidationResult> Faults(LookOptions options) => [.. options.Validate(new ValidationContext(options))];
}
