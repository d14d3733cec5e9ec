using System.Text;
using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>Names: where they come from, which wins, and that not one byte changes.</summary>
public sealed class TarReaderNamesTests
{
    private static readonly byte[] AllBytes = [.. Enumerable.Range(1, 255).Select(value => (byte)value)];

    [Fact]
    [Trait("Pull", "B14")]
    [Trait("Pull", "C28")]
    [Trait("Pull", "C29")]
    public void Next_AnyBytesInNames_KeepsThem()
    {
        byte[] notUtf8 = [0xFF, 0xFE, (byte)'/', 0x80, 0x1B, (byte)'\n'];
        Assert.Equal(notUtf8, Entries.One(new TarBytes().File(notUtf8)).RawName);
        Assert.Equal(AllBytes, Entries.One(new TarBytes().LongName(AllBytes).File("short")).RawName);
        Assert.Equal(AllBytes, Entries.One(new TarBytes().Pax(("path", AllBytes)).File("short")).RawName);
        Assert.Equal(Encoding.Latin1.GetString(AllBytes), Entries.One(new TarBytes().LongLink(AllBytes).SymbolicLink("l", "t")).LinkName);
        Assert.Equal(Encoding.Latin1.GetString(AllBytes), Entries.One(new TarBytes().Pax(("linkpath", AllBytes)).HardLink("l", "t")).LinkName);
        Assert.Equal(["A", "a"], Entries.Of(new TarBytes().File("A").File("a")).Select(entry => entry.Name));
    }

    [Theory]
    [Trait("Pull", "B11")]
    [Trait("Pull", "B13")]
    [Trait("Pull", "C4")]
    [InlineData("/a//b/./c/")]
    [InlineData("./")]
    [InlineData("")]
    [InlineData("..\\canary")]
    public void Next_NamesThatNeedNormalising_AreGivenAsTheyAre(string name) => Assert.Equal(name, Entries.One(new TarBytes().Directory(name)).Name);

    [Fact]
    [Trait("Pull", "B15")]
    public void Next_PrefixOfUstar_IsJoinedAlsoBehindAPaxHeader()
    {
        Action<TarHeaderBytes> prefixed = header => header.Prefix("pre/fix");
        Assert.Equal("pre/fix/name", Entries.One(new TarBytes().File("name", default, prefixed)).Name);
        Assert.Equal("pre/fix/name", Entries.One(new TarBytes().Pax(("mtime", "1")).File("name", default, prefixed)).Name);
        Assert.Equal("other", Entries.One(new TarBytes().Pax(("path", "other")).File("name", default, prefixed)).Name);
        var (longPrefix, longName) = (new string('p', 155), new string('n', 100));
        Assert.Equal($"{longPrefix}/{longName}", Entries.One(new TarBytes().File(longName, default, header => header.Prefix(longPrefix))).Name);
    }

    [Fact]
    [Trait("Pull", "B15")]
    public void Next_OtherFormatsThanUstar_HaveOtherPrefixes()
    {
        Assert.Equal("name", Entries.One(new TarBytes().File("name", default, header => header.Prefix("pre").V7())).Name);
        Assert.Equal("name", Entries.One(new TarBytes().File("name", default, header => header.Gnu().Number(345, 12, 1).Number(357, 12, 2))).Name);

        // Go before 1.8 wrote this, under images that are still about.
        Assert.Equal("pre/fix/name", Entries.One(new TarBytes().File("name", default, header => header.Gnu().Prefix("pre/fix"))).Name);

        // star's prefix is shorter; its times and its mark follow.
        var star = new string('p', 131);
        Assert.Equal(star + "/name", Entries.One(new TarBytes().File("name", default, header => header.Prefix(star + "0000").At(508, "tar\0"))).Name);
    }

    [Fact]
    [Trait("Pull", "B16")]
    public void Next_SeveralNames_TheLastWins()
    {
        Assert.Equal("pax", Entries.One(new TarBytes().LongName("gnu").Pax(("path", "pax")).File("header")).Name);
        Assert.Equal("gnu", Entries.One(new TarBytes().Pax(("path", "pax")).LongName("gnu").File("header")).Name);
        Assert.Equal("gnu", Entries.One(new TarBytes().Pax(("linkpath", "pax")).LongLink("gnu").SymbolicLink("l", "t")).LinkName);
    }

    [Fact]
    [Trait("Pull", "B16")]
    public void Next_MetaHeaders_SpeakOfOneEntryOnly()
    {
        var tar = new TarBytes().LongName("long").LongLink("target").Pax(("uid", "7"), ("SCHILY.xattr.user.a", "1")).SymbolicLink("a", "t").File("b");
        var entries = Entries.Of(tar);
        Assert.Equal(["long", "b"], entries.Select(entry => entry.Name));
        Assert.Equal(["target", ""], entries.Select(entry => entry.LinkName));
        Assert.Equal([7u, 0u], entries.Select(entry => entry.Uid));
        Assert.Equal([1, 0], entries.Select(entry => entry.Attributes.Length));
    }

    [Fact]
    [Trait("Pull", "B17")]
    public void Next_EmptyRecord_TakesTheFormerOneBack()
    {
        var tar = new TarBytes()
            .Pax(("path", "pax"), ("linkpath", "pax"), ("uid", "1"), ("gid", "2"), ("mtime", "3"), ("size", "4"))
            .Pax(("path", ""), ("linkpath", ""), ("uid", ""), ("gid", ""), ("mtime", ""), ("size", ""))
            .SymbolicLink("name", "target", header => header.Uid(5).Gid(6).Modified(7));
        var entry = Entries.One(tar);
        Assert.Equal(("name", "target", 5u, 6u, new TarTime(7, 0)), (entry.Name, entry.LinkName, entry.Uid, entry.Gid, entry.Modified));
    }

    [Fact]
    [Trait("Pull", "B18")]
    [Trait("Pull", "B19")]
    public void Next_SameKeyTwice_TheLastWinsAndHeadersMerge()
    {
        Assert.Equal("second", Entries.One(new TarBytes().Pax(("path", "first"), ("path", "second")).File("a")).Name);
        var merged = Entries.One(new TarBytes().Pax(("path", "pax"), ("uid", "1")).Pax(("uid", "2"), ("gid", "3")).File("a"));
        Assert.Equal(("pax", 2u, 3u), (merged.Name, merged.Uid, merged.Gid));
    }

    [Fact]
    [Trait("Pull", "B20")]
    [Trait("Pull", "C58")]
    public void Next_GlobalHeader_ChangesNothing()
    {
        var tar = new TarBytes().Global(("path", "evil"), ("uid", "1"), ("size", "9"), ("SCHILY.xattr.user.a", "1")).File("a", "content").File("b").End();
        var entries = Entries.Of(tar);
        Assert.Equal(["a", "b"], entries.Select(entry => entry.Name));
        Assert.All(entries, entry => Assert.Equal((0u, 0), (entry.Uid, entry.Attributes.Length)));

        // Between a header and its entry as well, and at the end of the archive.
        Assert.Equal("pax", Entries.One(new TarBytes().Pax(("path", "pax")).Global(("path", "evil")).File("a").Global(("a", "b")).End()).Name);
    }

    [Fact]
    [Trait("Pull", "B20")]
    public void Next_MalformedGlobalHeader_Refuses() => Entries.Refused(new TarBytes().Entry('g', "g", "9 broken").File("a").End());

    [Theory]
    [Trait("Pull", "B21")]
    [InlineData("BINARY")]
    [InlineData("ISO-IR 10646 2000 UTF-8")]
    public void Next_AnyCharacterSet_IsTakenAsBytes(string charset)
    {
        byte[] name = [0xE4, 0xFF];
        Assert.Equal(name, Entries.One(new TarBytes().Pax(("hdrcharset", charset), ("path", name)).File("a")).RawName);
    }

    [Theory]
    [Trait("Pull", "B22")]
    [Trait("Pull", "C28")]
    [InlineData("path")]
    [InlineData("linkpath")]
    [InlineData("uname")]
    [InlineData("gname")]
    [InlineData("GNU.sparse.name")]
    public void Next_NulInARecord_Refuses(string key) => Entries.Refused(new TarBytes().Pax((key, "a\0b")).File("a").End());

    [Fact]
    [Trait("Pull", "C28")]
    public void Next_NulWithinALongNameOrAKey_Refuses()
    {
        Entries.Refused(new TarBytes().LongName("safe\0/evil").File("a").End());
        Entries.Refused(new TarBytes().LongLink("safe\0/evil").SymbolicLink("a", "b").End());
        Entries.Refused(new TarBytes().Pax(("pa\0th", "b")).File("a").End());
    }

    [Fact]
    [Trait("Pull", "C28")]
    public void Next_LongNameInWholeBlocks_EndsAtItsNul() =>
        Assert.Equal("long", Entries.One(new TarBytes().Entry('L', "L", "long\0\0\0\0\0\0\0\0").File("a")).Name);

    [Fact]
    [Trait("Pull", "B41")]
    [Trait("Pull", "C44")]
    public void Next_RecordsOfOtherSystems_AreIgnored()
    {
        (FieldBytes, FieldBytes)[] records =
            [("MSWINDOWS.fileattr", "32"), ("SCHILY.fflags", "uchg"), ("LIBARCHIVE.xattr.user.a", "AA"), ("uname", "root"), ("comment", "x\0y")];
        Assert.Empty(Entries.One(new TarBytes().Pax(records).File("a")).Attributes);
    }
}
