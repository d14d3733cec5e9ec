using System.Text;
using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>Numbers in fields and records: sizes, owners, modes, times, devices.</summary>
public sealed class TarReaderNumbersTests
{
    [Theory]
    [Trait("Pull", "B23")]
    [InlineData("0000644\0", 420)]
    [InlineData("000644 \0", 420)]
    [InlineData("   644 \0", 420)]
    [InlineData("\0\0\0 644\0", 420)]
    [InlineData(" 644\0zzz", 420)]
    [InlineData("00000644", 420)]
    [InlineData("\0\0\0\0\0\0\0\0", 0)]
    [InlineData("        ", 0)]
    public void Next_OctalOfAnySpelling_IsRead(string field, uint expected) =>
        Assert.Equal(expected, Entries.One(new TarBytes().File("a", default, header => header.At(100, field))).Mode);

    [Theory]
    [Trait("Pull", "B23")]
    [InlineData(100, "0000648\0")]
    [InlineData(100, "64 4\0\0\0\0")]
    [InlineData(108, "-1\0\0\0\0\0\0")]
    [InlineData(116, "0x10\0\0\0\0")]
    [InlineData(124, "00000000 1 \0")]
    [InlineData(136, "1.5\0\0\0\0\0\0\0\0\0")]
    public void Next_NoOctal_Refuses(int offset, string field) => Entries.Refused(new TarBytes().File("a", default, header => header.At(offset, field)));

    [Fact]
    [Trait("Pull", "B23")]
    public void Next_Base256_IsReadWithItsSign()
    {
        var entry = Entries.One(new TarBytes().File("a", default, header => header.Base256(108, 8, 123).Base256(136, 12, -2).Base256(124, 12, 0)));
        Assert.Equal((123u, new TarTime(-2, 0)), (entry.Uid, entry.Modified));
        Assert.Equal(new TarTime(long.MaxValue, 0), Entries.One(new TarBytes().File("a", default, header => header.Base256(136, 12, long.MaxValue))).Modified);
        Assert.Equal(new TarTime(long.MinValue, 0), Entries.One(new TarBytes().File("a", default, header => header.Base256(136, 12, long.MinValue))).Modified);
    }

    [Theory]
    [Trait("Pull", "B23")]
    [Trait("Pull", "C50")]
    [InlineData("ffffffffffffffffffffffff")]
    [InlineData("c00000000000000000000000")]
    [InlineData("80000000f000000000000000")]
    [InlineData("800000010000000000000000")]
    [InlineData("bfffffffffffffffffffffff")]
    public void Next_NegativeOrTooLargeSize_Refuses(string hex) =>
        Entries.Refused(new TarBytes().File("a", default, header => header.At(124, Convert.FromHexString(hex))));

    [Theory]
    [Trait("Pull", "C43")]
    [Trait("Pull", "C50")]
    [InlineData("size", "-1")]
    [InlineData("size", "9223372036854775808")]
    [InlineData("size", "1.5")]
    [InlineData("size", " 1")]
    [InlineData("size", "0x1")]
    [InlineData("uid", "18446744073709551616")]
    [InlineData("uid", "-1")]
    [InlineData("gid", "4294967296")]
    [InlineData("mtime", "yesterday")]
    [InlineData("mtime", "1.5.5")]
    [InlineData("mtime", "-")]
    [InlineData("mtime", ".5")]
    [InlineData("mtime", "1e9")]
    public void Next_RecordThatIsNoNumber_Refuses(string key, string value) => Entries.Refused(new TarBytes().Pax((key, value)).File("a").End());

    [Fact]
    [Trait("Pull", "B23")]
    public void Next_FieldThatARecordReplaces_MayHoldAnything()
    {
        var entry = Entries.One(new TarBytes().Pax(("uid", "3000000"), ("gid", "4"), ("size", "7"), ("mtime", "9"))
            .File("a", "content", header => header.At(108, "********").At(116, "********").At(124, "************").At(136, "************")));
        Assert.Equal((3_000_000u, 4u, 7L, 9L, "content"), (entry.Uid, entry.Gid, entry.Size, entry.Modified.Seconds, entry.Text));
    }

    [Theory]
    [Trait("Pull", "B24")]
    [InlineData(0)]
    [InlineData(2147483648)]
    [InlineData(4294967294)]
    public void Next_OwnersOfAllSizes_AreRead(long id)
    {
        var field = Entries.One(new TarBytes().File("a", default, header => header.Uid(id).Gid(id)));
        var record = Entries.One(new TarBytes().Pax(("uid", $"{id}"), ("gid", $"{id}")).File("a"));
        Assert.Equal(((uint)id, (uint)id), (field.Uid, field.Gid));
        Assert.Equal(((uint)id, (uint)id), (record.Uid, record.Gid));
    }

    [Fact]
    [Trait("Pull", "B24")]
    public void Next_OwnerThatChownWouldNotSet_Refuses()
    {
        Entries.Refused(new TarBytes().File("a", default, header => header.Uid(uint.MaxValue)));
        Entries.Refused(new TarBytes().File("a", default, header => header.Gid(uint.MaxValue)));
        Entries.Refused(new TarBytes().File("a", default, header => header.Uid(-1)));
        Entries.Refused(new TarBytes().Pax(("uid", "4294967295")).File("a"));
        Entries.Refused(new TarBytes().Pax(("gid", "4294967295")).File("a"));
    }

    [Theory]
    [Trait("Pull", "B25")]
    [InlineData("1700000000.123456789", 1_700_000_000, 123_456_789)]
    [InlineData("1.1234567899", 1, 123_456_789)]
    [InlineData("1.5", 1, 500_000_000)]
    [InlineData("1.", 1, 0)]
    [InlineData("0", 0, 0)]
    [InlineData("-1", -1, 0)]
    [InlineData("-0.25", -1, 750_000_000)]
    [InlineData("-1.000000001", -2, 999_999_999)]
    [InlineData("9223372036854775807", long.MaxValue, 0)]
    [InlineData("99999999999999999999.5", long.MaxValue, 500_000_000)]
    [InlineData("-99999999999999999999", -long.MaxValue, 0)]
    public void Next_Time_KeepsItsNanoseconds(string value, long seconds, int nanoseconds) =>
        Assert.Equal(new TarTime(seconds, nanoseconds), Entries.One(new TarBytes().Pax(("mtime", value)).File("a")).Modified);

    [Fact]
    [Trait("Pull", "C46")]
    public void Next_GarbageInTheMode_IsMasked()
    {
        Assert.Equal(0xFFFu, Entries.One(new TarBytes().File("a", default, header => header.Mode(2097151))).Mode);
        Assert.Equal(0b100_111_101_101u, Entries.One(new TarBytes().File("a", default, header => header.Mode(33261 | 2048))).Mode);
        Assert.Equal(0xFFFu, Entries.One(new TarBytes().File("a", default, header => header.Mode(-1))).Mode);
    }

    [Fact]
    [Trait("Pull", "C49")]
    public void Next_SizeInBothPlaces_TheRecordWins()
    {
        // What one reader takes for content is an entry for another (CVE-2025-62518).
        var hidden = new TarBytes().File("hidden").ToArray();
        var skipped = Entries.Of(new TarBytes().Pax(("size", "512")).Header(header => header.Name("a").Type('0').Size(0)).Raw(hidden).File("b"));
        Assert.Equal(["a", "b"], skipped.Select(entry => entry.Name));
        var parsed = Entries.Of(new TarBytes().Pax(("size", "0")).File("a", hidden).File("b"));
        Assert.Equal(["a", "hidden", "b"], parsed.Select(entry => entry.Name));
        Entries.Refused(new TarBytes().Pax(("size", "0")).File("a", "this is no header").File("b"));
    }

    [Fact]
    [Trait("Pull", "B39")]
    [Trait("Pull", "B61")]
    public void Next_Devices_HaveTheirNumbers()
    {
        var tar = new TarBytes().Device('3', "null", 1, 3).Device('4', "sda", 8, 0).Device('3', "large", uint.MaxValue, uint.MaxValue, header => header.Gnu())
            .Device('3', "none", 0, 0).Device('3', "v7", 5, 5, header => header.V7()).File("f", default, header => header.At(329, "no number"));
        var numbers = Entries.Of(tar).Select(entry => (entry.Name, entry.Major, entry.Minor));
        Assert.Equal([("null", 1, 3), ("sda", 8, 0), ("large", uint.MaxValue, uint.MaxValue), ("none", 0, 0), ("v7", 0u, 0u), ("f", 0, 0)], numbers);
        Entries.Refused(new TarBytes().Device('3', "a", 1L << 32, 0));
        Entries.Refused(new TarBytes().Device('4', "a", 0, -1));
        Entries.Refused(new TarBytes().Device('4', "a", 0, 0, header => header.At(329, "no number")));
    }

    [Fact]
    public void TryParseField_EveryWidthOfNumber_ReadsBackWhatWasWritten()
    {
        foreach (var value in (long[])[0, 1, 7, 8, 511, 512, int.MaxValue, uint.MaxValue, 1L << 33, (1L << 33) - 1, long.MaxValue, -1, long.MinValue])
        {
            var field = new TarHeaderBytes().Size(value).ToArray().AsSpan(124, 12);
            Assert.True(TarNumber.TryParseField(field, out var read));
            Assert.Equal(value, read);
        }

        Assert.False(TarNumber.TryParseField(Encoding.ASCII.GetBytes("7777777777777777777777"), out _));
        Assert.True(TarNumber.TryParseField(Encoding.ASCII.GetBytes("777777777777777777777"), out var largest));
        Assert.Equal(long.MaxValue, largest);
    }
}
