using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>Sparse files in GNU's four forms, and maps made to confuse.</summary>
public sealed class TarReaderSparseTests
{
    /// <summary>The forms differ in how the map is kept, not in what it may say.</summary>
    public static TheoryData<string> Forms => ["old", "0.0", "0.1", "1.0"];

    [Theory]
    [Trait("Pull", "E1")]
    [MemberData(nameof(Forms))]
    public void Read_SparseFile_PutsThePiecesWhereTheyBelong(string form)
    {
        var entries = Entries.Of(Sparse(form, 5000, [(0, 3), (1000, 700), (4090, 10), (5000, 0)], Content(713)).File("next", "after").End());
        Assert.Equal(("sparse", TarEntryType.RegularFile, 5000), (entries[0].Name, entries[0].Type, entries[0].Content.Length));
        var expected = new byte[5000];
        Content(713).AsSpan(0, 3).CopyTo(expected);
        Content(713).AsSpan(3, 700).CopyTo(expected.AsSpan(1000));
        Content(713).AsSpan(703, 10).CopyTo(expected.AsSpan(4090));
        Assert.Equal(expected, entries[0].Content);
        Assert.Equal("after", entries[1].Text);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_SparseFileOfManyPieces_GivesThemAll(string form)
    {
        var map = Enumerable.Range(0, 100).Select(index => (index * 1000L, 10L)).ToArray();
        var entry = Entries.One(Sparse(form, 100_000, map, Content(1000)));
        for (var index = 0; index < 100; index++) Assert.Equal(Content(1000).AsSpan(index * 10, 10), entry.Content.AsSpan(index * 1000, 10));
        Assert.Equal(Content(1000).Count(part => part != 0), entry.Content.Count(part => part != 0));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_NothingButAHole_HasSizeAndNoBytes(string form)
    {
        foreach (var map in ((long, long)[][])[[], [(0, 0)], [(9000, 0)]])
        {
            var entries = Entries.Of(Sparse(form, 9000, map, default).File("next"));
            Assert.Equal((9000L, 2), (entries[0].Size, entries.Count));
            Assert.Equal(new byte[9000], entries[0].Content);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Next_SparseFileReadInPart_FindsTheNextEntry(string form)
    {
        using var reader = new TarReader(Sparse(form, 5000, [(10, 300), (1000, 700)], Content(1000)).File("next").ToStream());
        Assert.True(reader.Next());
        Assert.Equal(100, reader.Read(new byte[100], out var offset));
        Assert.Equal(10, offset);
        Assert.Equal(200, reader.Read(new byte[400], out offset));
        Assert.Equal(110, offset);
        Assert.Equal(50, reader.Read(new byte[50], out offset));
        Assert.Equal(1000, offset);
        Assert.True(reader.Next());
        Assert.Equal("next"u8, reader.Entry.Name.Span);
    }

    [Theory]
    [Trait("Pull", "C62")]
    [MemberData(nameof(Forms))]
    public void Next_MapThatOverlapsIsOutOfOrderOrBehindTheFile_Refuses(string form)
    {
        Entries.Refused(Sparse(form, 5000, [(0, 10), (5, 10)], Content(20)));
        Entries.Refused(Sparse(form, 5000, [(100, 10), (0, 10)], Content(20)));
        Entries.Refused(Sparse(form, 5000, [(4995, 10)], Content(10)));
        Entries.Refused(Sparse(form, 5000, [(6000, 10)], Content(10)));
        Entries.Refused(Sparse(form, 5000, [(long.MaxValue, 10)], Content(10)));
        Entries.Refused(Sparse(form, 5000, [(10, long.MaxValue)], Content(10)));
    }

    [Theory]
    [Trait("Pull", "C62")]
    [MemberData(nameof(Forms))]
    public void Next_MapOfMoreOrLessThanIsStored_Refuses(string form)
    {
        Entries.Refused(Sparse(form, 5000, [(0, 11)], Content(10)).File("next"));
        Entries.Refused(Sparse(form, 5000, [(0, 9)], Content(10)).File("next"));
        Entries.Refused(Sparse(form, 5000, [], Content(10)).File("next"));
    }

    [Theory]
    [Trait("Pull", "C61")]
    [MemberData(nameof(Forms))]
    public void Next_HugeFileOfHoles_SaysItsSizeAndCostsNothing(string form)
    {
        Entries.One(Sparse(form, long.MaxValue, [(0, 10)], Content(10)));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var entry = Entries.One(Sparse(form, long.MaxValue, [(0, 10)], Content(10)));
        Assert.Equal(long.MaxValue, entry.Size);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    [Theory]
    [Trait("Pull", "C59")]
    [InlineData(true)]
    [InlineData(false)]
    public void Next_EndlessChainOfOldMapBlocks_Ends(bool isEmpty)
    {
        var block = new TarBytes().OldSparseBlock(isEmpty ? [] : [.. Enumerable.Range(0, 21).Select(_ => (0L, 0L))], isContinued: true).ToArray();
        var header = new TarBytes().Header(header => header.Type('S').Name("s").Gnu().At(482, (byte[])[1])).ToArray();
        var stream = new EndlessStream(header, block);
        Assert.Equal(LayerFault.TooLarge, Assert.Throws<LayerException>(() => Entries.Of(stream)).Fault);
        Assert.InRange(stream.Given, 1 << 20, 3 << 20);
    }

    [Fact]
    [Trait("Pull", "C59")]
    public void Next_TooManyPieces_Refuses()
    {
        var limits = new TarLimits { SparseRegions = 50 };
        foreach (var form in Forms)
        {
            TarBytes Of(int count) => Sparse(form, 1 << 20, [.. Enumerable.Range(0, count).Select(index => (index * 1000L, 10L))], Content(count * 10));
            Assert.Single(Entries.Of(Of(25), limits));
            Entries.Refused(Of(51), LayerFault.TooLarge, limits);
        }

        var claim = new TarBytes().PaxSparse10("s", 10, "9223372036854775807\n" + string.Concat(Enumerable.Repeat("0\n0\n", 70_000)), default);
        Entries.Refused(claim, LayerFault.TooLarge);
    }

    [Theory]
    [Trait("Pull", "C62")]
    [InlineData("")]
    [InlineData("x\n")]
    [InlineData("-1\n")]
    [InlineData("1\n0\n")]
    [InlineData("1\n0\n-5\n")]
    [InlineData("1\n0,5\n")]
    [InlineData("1\n0\n5")]
    [InlineData("00000000000000000000000001\n0\n5\n")]
    public void Next_MalformedMapBeforeTheData_Refuses(string map) => Entries.Refused(new TarBytes().PaxSparse10("s", 100, map, Content(5)).File("next"));

    [Fact]
    [Trait("Pull", "C62")]
    public void Next_MapThatFillsBlocksExactly_IsRead()
    {
        // 33 numbers, padded with zeros so that the last one's line ends the block.
        long[] numbers = [16, .. new long[31], 5];
        var map = string.Concat(numbers.Select((number, index) => number.ToString(index < 31 ? "D15" : "D7") + "\n"));
        Assert.Equal(512, map.Length);
        var entry = Entries.One(new TarBytes().PaxSparse10("s", 100, map, Content(5)));
        Assert.Equal(Content(5), entry.Content[..5]);
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.major", "1"), ("GNU.sparse.realsize", "9")).File("s", "0\n"));
    }

    [Fact]
    [Trait("Pull", "C62")]
    public void Next_RecordsThatMakeNoDescription_Refuses()
    {
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0"), ("GNU.sparse.size", "1")).File("a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "1"), ("GNU.sparse.size", "1")).File("a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.name", "other")).File("a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.map", "0,1")).File("a", "a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.map", "0,1,2")).File("a", "a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.map", "0,,1")).File("a", "a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.map", "0,-1")).File("a", "a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "-9"), ("GNU.sparse.numblocks", "0")).File("a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9"), ("GNU.sparse.numbytes", "1"), ("GNU.sparse.offset", "1")).File("a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9"), ("GNU.sparse.offset", "1"), ("GNU.sparse.offset", "1")).File("a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9"), ("GNU.sparse.offset", "1")).File("a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9")).Directory("a"));
        Entries.Refused(new TarBytes().Pax(("GNU.sparse.size", "9")).OldSparse("a", 9, [(0, 1)], "a"));
        Entries.Refused(new TarBytes().OldSparse("a", 9, [(0, 1)], "a", header => header.Ustar()));
        Entries.Refused(new TarBytes().OldSparse("a", 9, [(-1, 1)], "a"));
        Entries.Refused(new TarBytes().OldSparse("a", -9, [(0, 1)], "a"));
    }

    [Fact]
    [Trait("Pull", "B18")]
    public void Next_SparseFileThenAnother_ForgetsTheFirst()
    {
        var tar = new TarBytes().PaxSparse00("a", 50, [(10, 5)], "aaaaa").OldSparse("b", 60, [(20, 5)], "bbbbb").PaxSparse00("c", 70, [(30, 5)], "ccccc")
            .PaxSparse10("d", 80, [(40, 5)], "ddddd").PaxSparse01("e", 90, [(50, 5)], "eeeee").File("f", "ff");
        var entries = Entries.Of(tar);
        Assert.Equal([50L, 60, 70, 80, 90, 2], entries.Select(entry => entry.Size));
        Assert.Equal("bbbbb"u8, entries[1].Content.AsSpan(20, 5));
        Assert.All(entries[1].Content[..20], part => Assert.Equal(0, part));
        Assert.Equal("ff", entries[5].Text);
    }

    private static TarBytes Sparse(string form, long size, (long, long)[] map, FieldBytes data) => form switch
    {
        "old" => new TarBytes().OldSparse("sparse", size, map, data),
        "0.0" => new TarBytes().PaxSparse00("sparse", size, map, data),
        "0.1" => new TarBytes().PaxSparse01("sparse", size, map, data),
        _ => new TarBytes().PaxSparse10("sparse", size, map, data),
    };

    private static byte[] Content(int length) => [.. Enumerable.Range(0, length).Select(index => (byte)((index % 255) + 1))];
}
