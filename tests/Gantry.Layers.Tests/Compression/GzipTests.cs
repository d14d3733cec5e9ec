using System.IO.Compression;
using System.Text;
using Gantry.Layers.Tests.Tar;

namespace Gantry.Layers.Tests.Compression;

/// <summary>gzip layers, whole and broken, in one piece and byte by byte.</summary>
public sealed class GzipTests
{
    private static readonly byte[] Text = Encoding.ASCII.GetBytes("the archive of a layer, the archive of a layer");

    public static TheoryData<int> Steps => [1, 2, 3, 7, int.MaxValue];

    [Theory]
    [Trait("Pull", "B72")]
    [MemberData(nameof(Steps))]
    public void Read_SeveralMembers_GivesThemTogether(int step)
    {
        byte[] members = [.. Gzip.Member(Text), .. Gzip.Member([]), .. Gzip.Member([1, 2, 3]), .. Gzip.Member([])];
        Assert.Equal([.. Text, 1, 2, 3], Decoded.Of(members, step));
        Assert.Equal([.. Text, 1, 2, 3], Decoded.Of(members, step, bufferSize: 1));
    }

    [Fact]
    [Trait("Pull", "B72")]
    public void Read_ManyMembersOfALargeLayer_GivesEveryByte()
    {
        var random = new Random(72);
        var expected = new MemoryStream();
        var compressed = new MemoryStream();
        for (var member = 0; member < 200; member++)
        {
            var content = new byte[random.Next(60_000)];
            random.NextBytes(content.AsSpan(0, content.Length / 2));
            expected.Write(content);
            compressed.Write(Gzip.Member(content));
        }

        Assert.Equal(expected.ToArray(), Decoded.Of(compressed.ToArray(), bufferSize: 50_000));
        Assert.Equal(expected.ToArray(), Decoded.Of(compressed.ToArray(), step: 1000, bufferSize: 300));
    }

    [Theory]
    [Trait("Pull", "B73")]
    [MemberData(nameof(Steps))]
    public void Read_AnythingBehindTheLastMember_IsReadAndIgnored(int step)
    {
        foreach (var rest in (byte[][])[new byte[1], new byte[200_000], "junk"u8.ToArray(), [0x1F], [0x1F, 0x8C], [0x8B, 0x1F], [0, .. Gzip.Member([9])]])
            Assert.Equal(Text, Decoded.Of([.. Gzip.Member(Text), .. rest], step));
    }

    [Theory]
    [Trait("Pull", "B74")]
    [Trait("Pull", "C73")]
    [MemberData(nameof(Steps))]
    public void Read_CutAnywhereWithinAMember_Refuses(int step)
    {
        var first = Gzip.Member(Text, Gzip.Name | Gzip.Extra | Gzip.HeaderCrc, [.. Gzip.ExtraField(5), .. "name\0"u8]);
        byte[] both = [.. first, .. Gzip.Member([1, 2, 3])];
        for (var length = 1; length < both.Length; length++)
        {
            // Behind the first member one byte may still be anything.
            if (length == first.Length || length == first.Length + 1) Assert.Equal(Text, Decoded.Of(both[..length], step));
            else Decoded.Refused(both[..length], step);
        }
    }

    [Fact]
    [Trait("Pull", "B74")]
    public void Read_LargeLayerCutOnABoundaryOfOurBuffer_Refuses()
    {
        var content = new byte[400_000];
        new Random(74).NextBytes(content);
        var whole = Gzip.Member(content);
        foreach (var length in (int[])[65_535, 65_536, 65_537, 131_072, 196_608, whole.Length - 8, whole.Length - 1]) Decoded.Refused(whole[..length]);
    }

    [Fact]
    [Trait("Pull", "B74")]
    public void Read_WrongChecksumOrLength_Refuses()
    {
        for (var last = 1; last <= 8; last++)
        {
            var broken = Gzip.Member(Text);
            broken[^last] ^= 0x10;
            Decoded.Refused(broken);
            Decoded.Refused([.. broken, .. Gzip.Member(Text)]);
            Decoded.Refused([.. Gzip.Member(Text), .. broken]);
        }
    }

    [Fact]
    [Trait("Pull", "B74")]
    public void Read_AnyFlippedBitOfTheContent_NeverGivesOtherContent()
    {
        var whole = Gzip.Member(Text);
        for (var bit = 80; bit < whole.Length * 8; bit++)
        {
            var broken = (byte[])whole.Clone();
            broken[bit / 8] ^= (byte)(1 << (bit % 8));

            // Between the last block and the checksum lie a few bits that nobody reads.
            byte[]? content = null;
            var failure = Record.Exception(() => content = Decoded.Of(broken));
            Assert.True(failure is LayerException { Fault: LayerFault.Compression } || content.AsSpan().SequenceEqual(Text), $"bit {bit}: {failure}");
        }
    }

    [Fact]
    [Trait("Pull", "B75")]
    public void Read_EveryFieldOfAHeader_IsSkipped()
    {
        byte[] extra = Gzip.ExtraField(26);
        Assert.Equal(Text, Decoded.Of(Gzip.Member(Text, Gzip.Extra, extra)));
        Assert.Equal(Text, Decoded.Of(Gzip.Member(Text, Gzip.Name, "layer.tar\0"u8.ToArray())));
        Assert.Equal(Text, Decoded.Of(Gzip.Member(Text, Gzip.Comment, "comment\0"u8.ToArray())));
        Assert.Equal(Text, Decoded.Of(Gzip.Member(Text, Gzip.HeaderCrc)));
        byte[] all = [.. extra, .. "n\0c\0"u8];
        Assert.Equal(Text, Decoded.Of(Gzip.Member(Text, Gzip.Extra | Gzip.Name | Gzip.Comment | Gzip.HeaderCrc | 1, all), step: 1));
    }

    [Fact]
    [Trait("Pull", "B75")]
    public void Read_BrokenHeader_Refuses()
    {
        foreach (var reserved in (byte[])[0x20, 0x40, 0x80, 0xE0])
        {
            Decoded.Refused(Gzip.Member(Text, reserved));
            Decoded.Refused([.. Gzip.Member(Text), .. Gzip.Member(Text, reserved)]);
        }

        var method = Gzip.Member(Text);
        method[2] = 7;
        Decoded.Refused(method);
        Decoded.Refused([.. Gzip.Member(Text), .. method]);
        var sum = Gzip.Member(Text, Gzip.HeaderCrc);
        sum[10] ^= 1;
        Decoded.Refused(sum);
    }

    [Fact]
    [Trait("Pull", "B76")]
    public void Read_EstargzFooter_IsAnEmptyMember()
    {
        // stargz: an empty member with the offset of its table in an extra field of 22 bytes.
        byte[] extra = [26, 0, (byte)'S', (byte)'G', 22, 0, .. "00000000000000ffSTARGZ"u8];
        Assert.Equal(Text, Decoded.Of([.. Gzip.Member(Text), .. Gzip.Member([], Gzip.Extra, extra)]));
    }

    [Theory]
    [Trait("Pull", "C71")]
    [InlineData(0)]
    [InlineData(65535)]
    public void Read_EndlessMembersWithoutContent_Ends(int extra)
    {
        var member = extra == 0 ? Gzip.Member([]) : Gzip.Member([], Gzip.Extra, Gzip.ExtraField(extra));
        var stream = new EndlessStream(Gzip.Member(Text), member);
        Decoded.Refused(stream);
        Assert.InRange(stream.Given, 1 << 20, 4 << 20);
    }

    [Fact]
    [Trait("Pull", "C71")]
    public void Read_EndlessNameOrEndlessEmptyBlocks_Ends()
    {
        Decoded.Refused(new EndlessStream([0x1F, 0x8B, 8, Gzip.Name, 0, 0, 0, 0, 0, 255], "name"u8.ToArray()));
        Decoded.Refused(new EndlessStream([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255], [0, 0, 0, 0xFF, 0xFF]));
    }

    [Fact]
    [Trait("Pull", "C71")]
    public void Read_MembersOfOneByte_AreNoFlood()
    {
        var member = Gzip.Member([7]);
        byte[] members = [.. Enumerable.Range(0, 100_000).SelectMany(_ => member)];
        Assert.Equal(100_000, Decoded.Of(members).Length);
    }

    [Theory]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.SmallestSize)]
    public void Read_WhatTheFrameworkCompresses_IsTheSame(CompressionLevel level)
    {
        var content = new byte[3_000_000];
        var random = new Random(1);
        for (var at = 0; at < content.Length; at++) content[at] = (byte)random.Next(random.Next(1, 60));
        var target = new MemoryStream();
        using (var gzip = new GZipStream(target, level, leaveOpen: true)) gzip.Write(content);
        Assert.Equal(content, Decoded.Of(target.ToArray(), bufferSize: 1 << 18));
    }

    [Fact]
    public void Dispose_InTheMiddle_FreesAndLeavesTheStreamToItsOwner()
    {
        var stream = new MemoryStream(Gzip.Member(Text));
        var layer = LayerDecoder.Open(stream);
        Assert.Equal(1, layer.Read(new byte[1]));
        layer.Dispose();
        layer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => layer.Read(new byte[1]));
        Assert.True(stream.CanRead);
    }
}
