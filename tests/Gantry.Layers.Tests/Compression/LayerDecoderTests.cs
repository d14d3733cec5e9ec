using Gantry.Layers.Tests.Tar;
using Gantry.TestKit.Tar;
using Gantry.TestKit;

namespace Gantry.Layers.Tests.Compression;

/// <summary>What a layer is counts, not what it is called.</summary>
public sealed class LayerDecoderTests
{
    private static readonly byte[] Archive = new TarBytes().File("a", "content").End().ToArray();

    [Fact]
    [Trait("Pull", "B4")]
    public void Open_Nothing_IsAnEmptyLayer()
    {
        Assert.Empty(Decoded.Of([]));
        Assert.Empty(Entries.Of(LayerDecoder.Open(new MemoryStream())));
    }

    [Fact]
    [Trait("Pull", "B5")]
    public void Open_TheEmptyArchive_HasNoEntriesInAnyForm()
    {
        foreach (var layer in (byte[][])[new byte[1024], Gzip.Member(new byte[1024]), Zstd.Compress(new byte[1024]), new byte[512]])
            Assert.Empty(Entries.Of(LayerDecoder.Open(new MemoryStream(layer))));
    }

    [Theory]
    [Trait("Pull", "B79")]
    [Trait("Pull", "B80")]
    [Trait("Pull", "B83")]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(int.MaxValue)]
    public void Open_GzipZstdOrPlain_GivesTheSameArchive(int step)
    {
        Assert.Equal(Archive, Decoded.Of(Archive, step));
        Assert.Equal(Archive, Decoded.Of(Gzip.Member(Archive), step));
        Assert.Equal(Archive, Decoded.Of(Zstd.Compress(Archive), step));
    }

    [Theory]
    [Trait("Pull", "B79")]
    [InlineData("FD377A585A000004E6D6B446")]
    [InlineData("425A6839314159265359")]
    [InlineData("04224D186440A7")]
    [InlineData("3C21444F43545950452068746D6C3E")]
    [InlineData("7B22736368656D6156657273696F6E223A327D")]
    [InlineData("1F")]
    [InlineData("1F9D90")]
    [InlineData("0001")]
    public void Open_OtherFormats_Refuses(string hex)
    {
        var first = Convert.FromHexString(hex);
        Decoded.Refused(first);
        Decoded.Refused([.. first, .. new byte[2000]]);
    }

    [Fact]
    [Trait("Pull", "C76")]
    public void Open_RandomBytes_RefusesAtOnce()
    {
        var noise = new byte[1 << 20];
        new Random(76).NextBytes(noise);
        var stream = new MemoryStream(noise);
        Assert.Throws<LayerException>(() => LayerDecoder.Open(stream));
        Assert.True(stream.Position <= 128 << 10);
    }

    [Fact]
    public void Sniff_TarOfEveryFormat_IsKnown()
    {
        Assert.Equal(LayerCompression.None, LayerDecoder.Sniff(Archive));
        Assert.Equal(LayerCompression.None, LayerDecoder.Sniff(new TarBytes().File("a", default, header => header.V7()).ToArray()));
        Assert.Equal(LayerCompression.None, LayerDecoder.Sniff(new TarBytes().File("a", default, header => header.Gnu()).ToArray()));

        // The reader then says what is wrong.
        var damaged = new TarBytes().File("a", default, header => header.Checksum("0")).ToArray();
        Assert.Equal(LayerCompression.None, LayerDecoder.Sniff(damaged));
        Assert.Equal(LayerFault.Archive, Assert.Throws<LayerException>(() => Entries.Of(LayerDecoder.Open(new MemoryStream(damaged)))).Fault);
    }

    [Fact]
    public void Sniff_Pieces_SaysWhatTheyShow()
    {
        Assert.Null(LayerDecoder.Sniff([]));
        Assert.Null(LayerDecoder.Sniff(Archive.AsSpan(0, 511)));
        Assert.Equal(LayerCompression.Gzip, LayerDecoder.Sniff([0x1F, 0x8B]));
        Assert.Equal(LayerCompression.Zstd, LayerDecoder.Sniff([0x5F, 0x2A, 0x4D, 0x18]));
        Assert.Null(LayerDecoder.Sniff([0x60, 0x2A, 0x4D, 0x18]));
    }

    [Fact]
    public void Open_StreamThatFails_LetsItsErrorThrough() => Assert.Throws<IOException>(() => LayerDecoder.Open(new BrokenStream()));

    private sealed class BrokenStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("the network is gone");
    }
}
