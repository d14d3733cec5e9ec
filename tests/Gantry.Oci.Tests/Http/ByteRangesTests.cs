using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Gantry.Oci.Http;

namespace Gantry.Oci.Tests.Http;

public sealed class ByteRangesTests
{
    [Theory]
    [InlineData("bytes=0-9", "0+10")]
    [InlineData("bytes=0-", "0+100")]
    [InlineData("bytes=99-", "99+1")]
    [InlineData("bytes=90-200", "90+10")]
    [InlineData("bytes=90-99999999999999999999999", "90+10")]
    [InlineData("bytes=-1", "99+1")]
    [InlineData("bytes=-100", "0+100")]
    [InlineData("bytes=-99999999999999999999999", "0+100")]
    [InlineData("bytes=00-09", "0+10")]
    [InlineData("BYTES=5-5", "5+1")]
    [InlineData(" bytes=5-5 ", "5+1")]
    [Trait("Protocol", "D4.59")]
    public void Accepts_OneRange(string header, string expected) => AssertPartial(header, 100, expected);

    [Theory]
    [InlineData("bytes=0-1,4-5", "0+2 4+2")]
    [InlineData("bytes=0-1 ,\t4-5 , -1", "0+2 4+2 99+1")]
    [InlineData("bytes=,0-1,,4-5,", "0+2 4+2")]
    [InlineData("bytes=50-59,0-9", "50+10 0+10")]
    [InlineData("bytes=0-9,5-14", "0+10 5+10")]
    [InlineData("bytes=0-1,100-200,-0", "0+2")]
    [Trait("Protocol", "D4.60")]
    public void Accepts_SeveralInTheOrderAsked(string header, string expected) => AssertPartial(header, 100, expected);

    [Theory]
    [InlineData("bytes=100-")]
    [InlineData("bytes=100-200")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=-000,500-600")]
    [InlineData("bytes=99999999999999999999999-")]
    [InlineData("bytes=9223372036854775807-9223372036854775807")]
    [InlineData("bytes=9-5")]
    [Trait("Protocol", "D4.59")]
    public void Unsatisfiable_IsSaidSo(string header)
    {
        var ranges = ByteRanges.Parse(header, 100);
        Assert.Equal(ByteRangesOutcome.Unsatisfiable, ranges.Outcome);
        Assert.Empty(ranges.Ranges);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=,,")]
    [InlineData("bytes =0-1")]
    [InlineData("items=0-1")]
    [InlineData("bytes=5")]
    [InlineData("bytes=-")]
    [InlineData("bytes=--1")]
    [InlineData("bytes=0-1,x")]
    [InlineData("bytes=500-,x")]
    [InlineData("bytes=0 - 1")]
    [InlineData("bytes=+0-1")]
    [InlineData("bytes=0-1;2-3")]
    [InlineData("bytes=٠-١")]
    [InlineData("bytes=0-1, bytes=4-5")]
    public void Ignores_WhatItNeedNotUnderstand(string? header)
    {
        var ranges = ByteRanges.Parse(header, 100);
        Assert.Equal(ByteRangesOutcome.Whole, ranges.Outcome);
        Assert.Empty(ranges.Ranges);
    }

    [Fact]
    public void Ignores_RangesThatAddUpToMoreThanTheWhole()
    {
        AssertPartial("bytes=0-49,50-99", 100, "0+50 50+50");
        Assert.Equal(ByteRangesOutcome.Whole, ByteRanges.Parse("bytes=0-49,50-99,0-0", 100).Outcome);
        Assert.Equal(ByteRangesOutcome.Whole, ByteRanges.Parse("bytes=0-,0-", long.MaxValue).Outcome);
    }

    [Fact]
    public void Ignores_TooManyRanges()
    {
        static string Header(int count) => "bytes=" + string.Join(',', Enumerable.Range(0, count).Select(i => $"{i * 2}-{i * 2}"));

        Assert.Equal(ByteRanges.MaxRanges, ByteRanges.Parse(Header(ByteRanges.MaxRanges), 5000).Ranges.Count);
        Assert.Equal(ByteRangesOutcome.Whole, ByteRanges.Parse(Header(ByteRanges.MaxRanges + 1), 5000).Outcome);
        Assert.Equal(16, ByteRanges.Parse(Header(16), 5000, maxRanges: 16).Ranges.Count);
        Assert.Equal(ByteRangesOutcome.Whole, ByteRanges.Parse(Header(17), 5000, maxRanges: 16).Outcome);
    }

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=0-0")]
    [InlineData("bytes=-5")]
    [InlineData("bytes=-0")]
    public void EmptyRepresentation_IsSentWhole(string header) =>
        Assert.Equal(ByteRangesOutcome.Whole, ByteRanges.Parse(header, 0).Outcome);

    [Fact]
    public void Ranges_AgreeWithReference()
    {
        var number = Gen.OneOf(Gen.Choose(0, 60).Select(n => (BigInteger)n), Gen.Constant(BigInteger.Pow(10, 30)));
        var spec = Gen.OneOf(
            number.Zip(number).Select(p => $"{BigInteger.Min(p.Item1, p.Item2)}-{BigInteger.Max(p.Item1, p.Item2)}"),
            number.Select(n => $"{n}-"),
            number.Select(n => $"-{n}"));
        var request = spec.NonEmptyListOf().Zip(Gen.Choose(1, 50));

        Prop.ForAll(request.ToArbitrary(), asked =>
        {
            var (specs, length) = asked;
            var wanted = specs.Select(text => BytesOf(text, length)).Where(bytes => bytes.Length > 0).ToArray();
            var outcome = specs.Count > ByteRanges.MaxRanges || wanted.Sum(bytes => bytes.Length) > length
                ? ByteRangesOutcome.Whole
                : wanted.Length == 0 ? ByteRangesOutcome.Unsatisfiable : ByteRangesOutcome.Partial;

            var ranges = ByteRanges.Parse("bytes=" + string.Join(", ", specs), length);
            Assert.Equal(outcome, ranges.Outcome);
            if (outcome != ByteRangesOutcome.Partial) return;
            Assert.Equal(wanted, ranges.Ranges.Select(r => Enumerable.Range((int)r.Offset, (int)r.Count).ToArray()));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3_000));
    }

    [Fact]
    public void Fuzz_NeverThrowsAndStaysInside()
    {
        var random = new Random(Fuzz.NewSeed());
        for (var i = 0; i < 100_000; i++)
        {
            var length = random.Next(3) switch { 0 => 0, 1 => random.Next(100), _ => random.NextInt64() };
            var header = (random.Next(4) == 0 ? "" : "bytes=") + Fuzz.Word(random, 40, "0", "9", "-", ",", " ", "922337203685477580");
            var ranges = ByteRanges.Parse(header, length);
            Assert.Equal(ranges.Outcome == ByteRangesOutcome.Partial, ranges.Ranges.Count > 0);
            Assert.All(ranges.Ranges, r => Assert.True(r.Offset >= 0 && r.Count > 0 && r.Last < length));
            Assert.True(ranges.Ranges.Sum(r => (decimal)r.Count) <= length);
        }
    }

    /// <summary>The bytes a spec means, one by one, by the letter of RFC 9110.</summary>
    private static int[] BytesOf(string spec, int length)
    {
        var ends = spec.Split('-').Select(end => end.Length == 0 ? (BigInteger?)null : BigInteger.Parse(end)).ToArray();
        return [.. Enumerable.Range(0, length).Where(at => ends[0] is { } first
            ? at >= first && (ends[1] is not { } last || at <= last)
            : at >= length - ends[1]!.Value)];
    }

    private static void AssertPartial(string header, long length, string expected)
    {
        var ranges = ByteRanges.Parse(header, length);
        Assert.Equal(ByteRangesOutcome.Partial, ranges.Outcome);
        Assert.Equal(expected, string.Join(' ', ranges.Ranges.Select(r => $"{r.Offset}+{r.Count}")));
    }
}
