using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>Where headers start, where the archive ends, and which types there are.</summary>
public sealed class TarReaderFramingTests
{
    [Fact]
    [Trait("Pull", "B1")]
    public void Next_UnsignedOrSignedChecksum_Accepts()
    {
        byte[] name = [0xC3, 0xA4, 0xFF];
        Assert.Equal(name, Entries.One(new TarBytes().File(name)).RawName);
        Assert.Equal(name, Entries.One(new TarBytes().File(name, default, header => header.SignedChecksum())).RawName);
    }

    [Theory]
    [Trait("Pull", "B1")]
    [Trait("Pull", "C47")]
    [InlineData("000000\0 ")]
    [InlineData("zzzzzz\0 ")]
    [InlineData("        ")]
    [InlineData("-00001\0 ")]
    public void Next_WrongChecksum_Refuses(string checksum) =>
        Entries.Refused(new TarBytes().File("a", "content", header => header.Checksum(checksum)).End());

    [Fact]
    [Trait("Pull", "C47")]
    public void Next_AnyFlippedByteOfAHeader_Refuses()
    {
        var archive = new TarBytes().File("name", "content").End().ToArray();
        for (var at = 0; at < 512; at++)
        {
            // What follows the NUL of the checksum's own field is no part of it.
            if (at == 155) continue;
            var flipped = (byte[])archive.Clone();
            flipped[at] ^= 0x01;
            Assert.Throws<LayerException>(() => Entries.Of(new MemoryStream(flipped)));
        }
    }

    [Theory]
    [Trait("Pull", "B2")]
    [InlineData(0)]
    [InlineData(512)]
    [InlineData(1024)]
    [InlineData(10240)]
    public void Next_EndsWithAnyNumberOfZeroBlocks_Accepts(int zeros) =>
        Assert.Equal("content", Entries.One(new TarBytes().File("a", "content").Zeros(zeros)).Text);

    [Fact]
    [Trait("Pull", "B2")]
    public void Next_OneZeroBlockThenAHeader_Refuses() =>
        Entries.Refused(new TarBytes().File("a").Zeros(512).File("b").End());

    [Theory]
    [Trait("Pull", "B2")]
    [Trait("Pull", "B6")]
    [Trait("Pull", "C64")]
    [InlineData(false)]
    [InlineData(true)]
    public void Drain_SecondArchiveOrZerosBehindTheEnd_ReadsThemAndSaysSo(bool hasSecond)
    {
        var tar = new TarBytes().File("a").End().Zeros(9000);
        if (hasSecond) tar.File("smuggled", "content").End();
        var stream = tar.ToStream();

        using var reader = new TarReader(stream);
        Assert.True(reader.Next());
        Assert.False(reader.Next());
        Assert.False(reader.Next());
        reader.Drain();

        Assert.False(reader.Next());
        Assert.Equal(hasSecond, reader.HasTrailingData);
        Assert.Equal(stream.Length, stream.Position);
    }

    [Fact]
    public void Drain_InTheMiddle_ReadsTheRestUnparsed()
    {
        var stream = new TarBytes().File("a", "content").Raw("no header at all").ToStream();
        using var reader = new TarReader(stream);
        Assert.True(reader.Next());
        reader.Drain();
        Assert.Equal(stream.Length, stream.Position);
        Assert.False(reader.Next());
    }

    [Fact]
    [Trait("Pull", "B3")]
    public void Next_CutAnywhereButAtTheEndOfContent_Refuses()
    {
        var archive = new TarBytes().Pax(("mtime", "1.5")).File("a", new byte[700]).File("b").ToArray();
        for (var length = 0; length <= archive.Length; length++)
        {
            var isCutWell = length is 0 || length == archive.Length || length is >= 1536 + 700 and <= 1536 + 1024;
            var failure = Record.Exception(() => Entries.Of(new MemoryStream(archive, 0, length)));
            Assert.True(isCutWell ? failure is null : failure is LayerException { Fault: LayerFault.Archive }, $"cut to {length}: {failure}");
        }
    }

    [Fact]
    [Trait("Pull", "B3")]
    public void Next_ContentOfTheLastEntryUnread_StillSeesThatItIsCut()
    {
        using var reader = new TarReader(new MemoryStream(new TarBytes().File("a", new byte[700]).ToArray(), 0, 600));
        Assert.True(reader.Next());
        Assert.Throws<LayerException>(() => reader.Next());
    }

    [Fact]
    [Trait("Pull", "B4")]
    [Trait("Pull", "B5")]
    public void Next_NothingOrTheEmptyArchive_HasNoEntries()
    {
        Assert.Empty(Entries.Of(new TarBytes()));
        Assert.Empty(Entries.Of(new TarBytes().End()));
    }

    [Theory]
    [Trait("Pull", "B7")]
    [Trait("Pull", "B8")]
    [InlineData('\0', "d/", TarEntryType.Directory)]
    [InlineData('\0', "f", TarEntryType.RegularFile)]
    [InlineData('0', "f", TarEntryType.RegularFile)]
    [InlineData('0', "f/", TarEntryType.RegularFile)]
    [InlineData('7', "f", TarEntryType.RegularFile)]
    public void Next_OldTypes_BecomeFilesAndDirectories(char type, string name, TarEntryType expected) =>
        Assert.Equal(expected, Entries.One(new TarBytes().Entry(type, name, default, header => header.V7())).Type);

    [Fact]
    [Trait("Pull", "B7")]
    public void Next_LongNameWithSlashAndNoType_IsADirectoryWithoutContent()
    {
        var entries = Entries.Of(new TarBytes().LongName("long/").Header(header => header.Type('\0').Name("long").Size(512)).File("next").End());
        Assert.Equal([TarEntryType.Directory, TarEntryType.RegularFile], entries.Select(entry => entry.Type));
    }

    [Theory]
    [Trait("Pull", "B9")]
    [InlineData('Q')]
    [InlineData('V')]
    [InlineData('M')]
    [InlineData('D')]
    [InlineData('A')]
    [InlineData('N')]
    [InlineData('X')]
    [InlineData('s')]
    [InlineData('8')]
    [InlineData('\u001b')]
    public void Next_UnknownType_Refuses(char type)
    {
        var failure = Entries.Refused(new TarBytes().Entry(type, "odd\u001b[2J").End(), LayerFault.EntryType);
        Assert.DoesNotContain('\u001b', failure.Message);
    }

    [Theory]
    [Trait("Pull", "B10")]
    [InlineData('1', TarEntryType.HardLink)]
    [InlineData('2', TarEntryType.SymbolicLink)]
    [InlineData('3', TarEntryType.CharacterDevice)]
    [InlineData('4', TarEntryType.BlockDevice)]
    [InlineData('5', TarEntryType.Directory)]
    [InlineData('6', TarEntryType.Fifo)]
    public void Next_SizeOfWhatHasNoContent_IsIgnored(char type, TarEntryType expected)
    {
        var entries = Entries.Of(new TarBytes().Header(header => header.Type(type).Name("a").LinkName("b").Size(5000)).File("next", "content").End());
        Assert.Equal([(expected, 0L), (TarEntryType.RegularFile, 7L)], entries.Select(entry => (entry.Type, entry.Size)));
        Assert.Equal("content", entries[1].Text);
    }

    [Theory]
    [InlineData('1')]
    [InlineData('2')]
    public void Next_LinkWithoutTarget_Refuses(char type) => Entries.Refused(new TarBytes().Entry(type, "a").End());

    [Fact]
    [Trait("Pull", "C76")]
    public void Next_RandomBytes_RefusesAtTheFirstHeader()
    {
        var noise = new byte[1 << 20];
        new Random(76).NextBytes(noise);
        var stream = new MemoryStream(noise);
        Assert.Throws<LayerException>(() => Entries.Of(stream));
        Assert.True(stream.Position <= 128 << 10);
    }
}
