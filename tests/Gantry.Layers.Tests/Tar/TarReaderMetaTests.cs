using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>PAX headers and long names that are malformed, too long or too many, and extended attributes.</summary>
public sealed class TarReaderMetaTests
{
    [Theory]
    [Trait("Pull", "C55")]
    [InlineData("99 path=a\n")]
    [InlineData("0 x=y\n")]
    [InlineData("6 x=y")]
    [InlineData("6 x=y\t")]
    [InlineData("06 x=y\n")]
    [InlineData("07 x=y\n")]
    [InlineData("5 xy\n")]
    [InlineData("5 =y\n")]
    [InlineData("3 \n")]
    [InlineData("2 ")]
    [InlineData("6")]
    [InlineData(" x=y\n")]
    [InlineData("-6 x=y\n")]
    [InlineData("+6 x=y\n")]
    [InlineData("5 x=y\n")]
    [InlineData("99999999999999999999 x=y\n")]
    [InlineData("6 x=y\n6 x=y\n\0\0")]
    [InlineData("\n")]
    public void Next_MalformedRecord_Refuses(string payload) => Entries.Refused(new TarBytes().PaxRaw(payload).File("a").End());

    [Fact]
    [Trait("Pull", "C55")]
    public void Next_RecordsAtTheEdge_AreRead()
    {
        Assert.Equal("a=b\n7 c", Entries.One(new TarBytes().Pax(("path", "a=b\n7 c")).File("x")).Name);
        Assert.Equal("x", Entries.One(new TarBytes().PaxRaw("").File("x")).Name);
        Assert.Equal("y", Entries.One(new TarBytes().PaxRaw("10 path=y\n").File("x")).Name);
    }

    [Fact]
    [Trait("Pull", "C56")]
    public void Next_MetaHeaderWithoutAnEntry_Refuses()
    {
        Entries.Refused(new TarBytes().Pax(("path", "a")));
        Entries.Refused(new TarBytes().Pax(("path", "a")).End());
        Entries.Refused(new TarBytes().File("a").LongName("b").Zeros(512));
        Entries.Refused(new TarBytes().LongLink("b").Global(("a", "b")).End());
    }

    [Theory]
    [Trait("Pull", "C52")]
    [Trait("Pull", "C53")]
    [InlineData('L', 8L << 30)]
    [InlineData('K', (1L << 20) + 1)]
    [InlineData('x', 8L << 30)]
    [InlineData('g', long.MaxValue)]
    public void Next_ClaimOfAHugeMetaHeader_IsRefusedBeforeReading(char type, long size)
    {
        var stream = new EndlessStream(new TarBytes().Header(header => header.Type(type).Name("m").Size(size)).ToArray());
        var before = GC.GetAllocatedBytesForCurrentThread();
        var failure = Assert.Throws<LayerException>(() => Entries.Of(stream));
        Assert.Equal(LayerFault.TooLarge, failure.Fault);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000);
        Assert.InRange(stream.Given, 512, 256 << 10);
    }

    [Fact]
    [Trait("Pull", "C53")]
    public void Next_MetaHeaderThatClaimsMoreThanComes_AllocatesForWhatCame()
    {
        var tar = new TarBytes().Header(header => header.Type('x').Name("m").Size(1 << 20)).Raw(new byte[2000]);
        Entries.Refused(tar);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Entries.Refused(tar);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000);
    }

    [Fact]
    [Trait("Pull", "B16")]
    [Trait("Pull", "C53")]
    public void Next_LongestMetaHeader_IsReadAndOneByteMoreIsNot()
    {
        byte[] Name(int length) => [.. Enumerable.Repeat((byte)'n', length)];
        Assert.Equal((1 << 20) - 1, Entries.One(new TarBytes().LongName(Name((1 << 20) - 1)).File("a")).RawName.Length);
        Entries.Refused(new TarBytes().LongName(Name(1 << 20)).File("a"), LayerFault.TooLarge);
        Entries.Refused(new TarBytes().PaxRaw(Name((1 << 20) + 1)).File("a"), LayerFault.TooLarge);
    }

    [Theory]
    [Trait("Pull", "C53")]
    [InlineData('x')]
    [InlineData('g')]
    [InlineData('L')]
    public void Next_EndlessRowOfMetaHeaders_Ends(char type)
    {
        var stream = new EndlessStream([], new TarBytes().Entry(type, "m", "6 a=b\n").ToArray());
        Assert.Equal(LayerFault.TooLarge, Assert.Throws<LayerException>(() => Entries.Of(stream)).Fault);
        Assert.InRange(stream.Given, 4 << 20, 9 << 20);
    }

    [Fact]
    [Trait("Pull", "B32")]
    public void Next_ExtendedAttributes_AreAnyBytes()
    {
        byte[] value = [0, 1, (byte)'\n', (byte)'=', 0x80, 0xFF, 0];
        byte[] capability = [1, 0, 0, 2, 0x0A, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        var entry = Entries.One(new TarBytes()
            .Pax(("SCHILY.xattr.user.v", value), ("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.none", ""))
            .Pax(("SCHILY.xattr.user.v", "replaced"), ("SCHILY.xattr.user.\u00e4", "1"))
            .Directory("d"));
        Assert.Equal(["user.v", "security.capability", "user.none", "user.\u00c3\u00a4"], entry.Attributes.Select(attribute => attribute.Name));
        Assert.Equal("replaced"u8, entry.Attributes[0].Value);
        Assert.Equal(capability, entry.Attributes[1].Value);
        Assert.Empty(entry.Attributes[2].Value);
        Assert.Equal(value, Entries.One(new TarBytes().Pax(("SCHILY.xattr.user.v", value)).SymbolicLink("l", "t")).Attributes[0].Value);
    }

    [Fact]
    [Trait("Pull", "C40")]
    public void Next_TooLongOrTooManyAttributes_Refuses()
    {
        byte[] Bytes(int length) => [.. Enumerable.Repeat((byte)'v', length)];
        (FieldBytes, FieldBytes)[] Many(int count, int length) =>
            [.. Enumerable.Range(0, count).Select(index => ((FieldBytes)$"SCHILY.xattr.u{index}", (FieldBytes)Bytes(length)))];

        Assert.Single(Entries.One(new TarBytes().Pax(("SCHILY.xattr.user.v", Bytes(65536))).File("a")).Attributes);
        Entries.Refused(new TarBytes().Pax(("SCHILY.xattr.user.v", Bytes(65537))).File("a"), LayerFault.TooLarge);
        Assert.Single(Entries.One(new TarBytes().Pax(($"SCHILY.xattr.{new string('n', 255)}", "v")).File("a")).Attributes);
        Entries.Refused(new TarBytes().Pax(($"SCHILY.xattr.{new string('n', 256)}", "v")).File("a"), LayerFault.TooLarge);
        Assert.Equal(256, Entries.One(new TarBytes().Pax(Many(256, 10)).File("a")).Attributes.Length);
        Entries.Refused(new TarBytes().Pax(Many(1000, 10)).File("a"), LayerFault.TooLarge);
        Entries.Refused(new TarBytes().Pax(Many(200, 10)).Pax(Many(200, 10)).File("a"), LayerFault.TooLarge);
        Entries.Refused(new TarBytes().Pax(Many(5, 60_000)).File("a"), LayerFault.TooLarge);
        Entries.Refused(new TarBytes().Pax(Many(3, 60_000)).Pax(Many(3, 60_000)).File("a"), LayerFault.TooLarge);
        Entries.Refused(new TarBytes().Pax(("SCHILY.xattr.", "v")).File("a"));
    }
}

/// <summary>Bytes, and then the same ones for ever: whoever has no bound of his own does not come back.</summary>
internal sealed class EndlessStream(byte[] first, byte[]? then = null) : MemoryStream
{
    private readonly byte[] _then = then ?? new byte[512];

    public long Given { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        for (var at = 0; at < buffer.Length; at++, Given++) buffer[at] = Given < first.Length ? first[Given] : _then[(Given - first.Length) % _then.Length];
        return buffer.Length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
}
