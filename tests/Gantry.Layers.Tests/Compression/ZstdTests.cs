using System.Text;
using Gantry.Layers.Compression;
using Gantry.Layers.Tests.Tar;
using Gantry.TestKit;

namespace Gantry.Layers.Tests.Compression;

/// <summary>zstd layers, whole and broken.</summary>
public sealed class ZstdTests
{
    private static readonly byte[] Text = Encoding.ASCII.GetBytes("the archive of a layer, the archive of a layer");

    public static TheoryData<int> Steps => [1, 2, 3, 7, int.MaxValue];

    [Theory]
    [Trait("Pull", "B77")]
    [MemberData(nameof(Steps))]
    public void Read_FramesAndSkippableFramesInAnyOrder_GivesTheContent(int step)
    {
        byte[] layer =
        [
            .. Zstd.Skippable([1, 2, 3]), .. Zstd.Compress(Text), .. Zstd.Skippable([], 15), .. Zstd.Compress([]), .. Zstd.Skippable(new byte[300], 7),
            .. Zstd.Frame(10, Zstd.RawBlock([4, 5], false), Zstd.RunBlock(6, 3, true)), .. Zstd.Skippable([9]),
        ];
        Assert.Equal(LayerCompression.Zstd, LayerDecoder.Sniff(layer));
        Assert.Equal([.. Text, 4, 5, 6, 6, 6], Decoded.Of(layer, step));
        Assert.Equal([.. Text, 4, 5, 6, 6, 6], Decoded.Of(layer, step, bufferSize: 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(9)]
    public void Read_LargeLayer_GivesEveryByte(int level)
    {
        var content = new byte[3_000_000];
        var random = new Random(level);
        for (var at = 0; at < content.Length; at++) content[at] = (byte)random.Next(random.Next(1, 60));
        var layer = Zstd.Compress(content, level);
        Assert.Equal(content, Decoded.Of(layer, bufferSize: 1 << 18));
        Assert.Equal(content, Decoded.Of(layer, step: 1000, bufferSize: 777));
    }

    [Theory]
    [Trait("Pull", "B78")]
    [MemberData(nameof(Steps))]
    public void Read_CutAnywhereWithinAFrame_Refuses(int step)
    {
        var first = Zstd.Compress(Text);
        var skippable = Zstd.Skippable([1, 2, 3]);
        byte[] all = [.. first, .. skippable, .. Zstd.Compress([1, 2, 3])];
        for (var length = 1; length < all.Length; length++)
        {
            if (length == first.Length || length == first.Length + skippable.Length) Assert.Equal(Text, Decoded.Of(all[..length], step));
            else Decoded.Refused(all[..length], step);
        }
    }

    [Fact]
    [Trait("Pull", "B78")]
    public void Read_LastBlockMissing_Refuses()
    {
        // All content is there; only the frame does not say that it is.
        Decoded.Refused(Zstd.Frame(10, Zstd.RawBlock(Text, isLast: false)));
        Decoded.Refused(Zstd.Frame(17, Zstd.RawBlock(new byte[4096], isLast: false)));
    }

    [Fact]
    [Trait("Pull", "B78")]
    public void Read_AnythingBehindTheLastFrame_Refuses()
    {
        foreach (var rest in (byte[][])[new byte[1], new byte[5000], "junk"u8.ToArray(), [0x28], Gzip.Member(Text)])
            Decoded.Refused([.. Zstd.Compress(Text), .. rest]);
    }

    [Theory]
    [Trait("Pull", "B78")]
    [Trait("Pull", "C70")]
    [InlineData(10, true)]
    [InlineData(23, true)]
    [InlineData(27, true)]
    [InlineData(28, false)]
    [InlineData(31, false)]
    [InlineData(41, false)]
    public void Read_WindowOfAnySize_IsAllowedTo128MiB(int windowLog, bool isAllowed)
    {
        var layer = Zstd.Frame(windowLog, Zstd.RawBlock(Text, isLast: true));
        if (isAllowed) Assert.Equal(Text, Decoded.Of(layer));
        else Assert.Contains("memory", Decoded.Refused(layer).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Pull", "C70")]
    public void Read_ClaimOfAHugeFrame_Refuses()
    {
        // In one segment the window is the content's size; with a window of its own the claim is held against what came.
        byte[] size = [0, 0, 0, 0, 0, 0, 0, 0x80];
        Decoded.Refused([.. Zstd.Magic, 0xE0, .. size, .. Zstd.RawBlock(Text, isLast: true)]);
        Decoded.Refused([.. Zstd.Magic, 0xC0, 0, .. size, .. Zstd.RawBlock(Text, isLast: true)]);
    }

    [Fact]
    [Trait("Pull", "B78")]
    [Trait("Pull", "C70")]
    public void Read_FrameThatWantsADictionary_Refuses() =>
        Decoded.Refused([.. Zstd.Magic, 0x01, 0, 77, .. Zstd.RawBlock(Text, isLast: true)]);

    [Fact]
    [Trait("Pull", "C70")]
    public void Read_Bomb_ComesInPiecesOfTheReadersSize()
    {
        var blocks = Enumerable.Range(0, 500).Select(block => Zstd.RunBlock(1, 128 << 10, block == 499)).ToArray();
        using var layer = LayerDecoder.Open(new MemoryStream(Zstd.Frame(17, blocks)));
        var buffer = new byte[4096];
        var total = 0L;
        while (layer.Read(buffer) is > 0 and var count) total += count;
        Assert.Equal(500L * (128 << 10), total);
    }

    [Fact]
    [Trait("Pull", "C71")]
    public void Read_EndlessFramesWithoutContent_Ends()
    {
        Decoded.Refused(new EndlessStream(Zstd.Compress(Text), Zstd.Skippable([])));
        Decoded.Refused(new EndlessStream(Zstd.Compress(Text), Zstd.Compress([])));
    }

    [Fact]
    public void Read_AnyFlippedByte_ThrowsNothingElse()
    {
        var whole = Zstd.Compress(Text);
        for (var at = 0; at < whole.Length; at++)
        {
            var broken = (byte[])whole.Clone();
            broken[at] ^= 0xFF;
            Assert.True(Record.Exception(() => Decoded.Of(broken)) is null or LayerException);
        }
    }

    [Fact]
    public void Require_LibraryThatIsNotInstalled_NamesThePackage() =>
        Assert.Contains("libzstd1", Assert.Throws<DllNotFoundException>(() => ZstdHandle.Require("libzstd.so.none")).Message, StringComparison.Ordinal);
}
