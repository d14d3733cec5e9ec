using Gantry.Cli.Output;

namespace Gantry.Cli.Tests;

/// <summary>What people see: sizes and ages as docker has them, bars that fit, and nothing that could move a cursor.</summary>
public sealed class ShownTests
{
    [Theory]
    [InlineData(0, "0B")]
    [InlineData(999, "999B")]
    [InlineData(1000, "1kB")]
    [InlineData(1210, "1.21kB")]
    [InlineData(72_200_000, "72.2MB")]
    [InlineData(117_400_000, "117MB")]
    [InlineData(999_999, "1MB")]
    [InlineData(1_107_000_000, "1.11GB")]
    public void Size_AsDockerHasIt(long bytes, string shown) => Assert.Equal(shown, Shown.Size(bytes));

    [Theory]
    [InlineData("\u001b[2J\u0007", "\\u001b[2J\\u0007")]
    [InlineData("a\nb", "a\\u000ab")]
    [InlineData("\u202eevil", "\\u202eevil")]
    [InlineData("prüfen", "prüfen")]
    public void Text_OfAnImage_MovesNoCursor(string text, string shown)
    {
        Assert.Equal(shown, Shown.Text(text));
        Assert.Equal(shown, Shown.Whole(text));
    }

    [Fact]
    public void Whole_LongText_IsNotCut() => Assert.Equal(new string('ü', 5000), Shown.Whole(new string('ü', 5000)));

    [Fact]
    public void Json_WithMarksThatAreNotSeen_EscapesThem()
    {
        var line = CliJson.Line(new NoteLine("note", "a\u202e\u0085\u001b+b"));
        Assert.Equal("""{"event":"note","message":"a\u202e\u0085\u001b+b"}""", line.Replace("\\u001B", "\\u001b", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(20)]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(200)]
    public void Bar_OnAnyTerminal_IsNarrowerThanIt(int columns)
    {
        for (var bytes = 0; bytes <= 100; bytes += 10)
        {
            var line = BarProgress.Line(new ProgressStep("0123456789ab", "Downloading", bytes * 1_000_000L, 100_000_000, false), columns);
            Assert.True(line.Length < columns, line);
            Assert.StartsWith("0123456789ab", line, StringComparison.Ordinal);
        }
    }
}
