using FsCheck;
using FsCheck.Fluent;
using Gantry.Oci.Http;

namespace Gantry.Oci.Tests.Http;

public sealed class ContentRangeTests
{
    [Theory]
    [InlineData("0-0", 0, 0)]
    [InlineData("0-65535", 0, 65535)]
    [InlineData("10-19", 10, 19)]
    [InlineData("bytes 0-9", 0, 9)]
    [InlineData("Bytes 0-9", 0, 9)]
    [InlineData("bytes  5-9/*", 5, 9)]
    [InlineData("bytes 5-9/10", 5, 9)]
    [InlineData("5-9/*", 5, 9)]
    [InlineData(" 5-9 ", 5, 9)]
    [InlineData("007-9", 7, 9)]
    [InlineData("0-9223372036854775806", 0, long.MaxValue - 1)]
    [Trait("Protocol", "D2.22")]
    public void Accepts_WithAndWithoutUnit(string text, long start, long end)
    {
        Assert.True(ContentRange.TryParse(text, out var range));
        Assert.Equal((start, end, end - start + 1), (range.Start, range.End, range.Length));
        Assert.True(range.Length > 0);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("5")]
    [InlineData("5-")]
    [InlineData("-5")]
    [InlineData("9-5")]
    [InlineData("0--1")]
    [InlineData("+0-5")]
    [InlineData("0 - 5")]
    [InlineData("0-5-6")]
    [InlineData("0-5,7-9")]
    [InlineData("bytes=0-5")]
    [InlineData("bytes0-5")]
    [InlineData("bytes ")]
    [InlineData("bytes */10")]
    [InlineData("items 0-5")]
    [InlineData("0-5/")]
    [InlineData("0-5/5")]
    [InlineData("0-5/**")]
    [InlineData("0-5/-1")]
    [InlineData("0-9223372036854775807")]
    [InlineData("0-9223372036854775808")]
    [InlineData("99999999999999999999-999999999999999999999")]
    [InlineData("٠-٥")]
    [InlineData("0x0-0x5")]
    [InlineData("0-5\0")]
    [InlineData("0-5\n")]
    public void Rejects_Others(string? text) => Assert.False(ContentRange.TryParse(text, out _));

    [Fact]
    public void Text_RoundTrips() => Prop.ForAll<uint, uint>((start, length) =>
    {
        Assert.True(ContentRange.TryParse($"{start}-{(long)start + length}", out var range));
        Assert.Equal((start, length + 1L), (range.Start, range.Length));
        Assert.True(ContentRange.TryParse($"bytes {range}/{range.End + 1}", out var again) && again == range);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Fuzz_NeverThrows()
    {
        var random = new Random(Fuzz.NewSeed());
        for (var i = 0; i < 100_000; i++)
        {
            if (!ContentRange.TryParse(Fuzz.Word(random, 30, "bytes ", "0", "9", "-", "/", "*", "922337203685477580"), out var range)) continue;
            Assert.InRange(range.Start, 0, range.End);
            Assert.InRange(range.Length, 1, long.MaxValue);
        }
    }
}
