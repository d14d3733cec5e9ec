using System.Text;
using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>Reading content in pieces, not at all, and from streams that give little at a time.</summary>
public sealed class TarReaderContentTests
{
    private static readonly int[] Sizes = [0, 1, 511, 512, 513, 1024, 65535, 65536, 65537, 200_000];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 100)]
    [InlineData(511, 4096)]
    [InlineData(int.MaxValue, 33_000)]
    [InlineData(int.MaxValue, 1 << 18)]
    public void Read_StreamAndBufferOfAnySize_GivesTheContent(int streamStep, int bufferSize)
    {
        var tar = new TarBytes();
        foreach (var size in Sizes) tar.File($"f{size}", Pattern(size));
        using var reader = new TarReader(new SlowStream(tar.End().ToArray(), streamStep));
        var buffer = new byte[bufferSize];
        foreach (var size in Sizes)
        {
            Assert.True(reader.Next());
            Assert.Equal(size, reader.Entry.Size);
            var content = new MemoryStream();
            while (reader.Read(buffer, out var offset) is > 0 and var count)
            {
                Assert.Equal(content.Length, offset);
                content.Write(buffer.AsSpan(0, count));
            }

            Assert.Equal(Pattern(size), content.ToArray());
            Assert.Equal(0, reader.Read(buffer, out _));
        }

        Assert.False(reader.Next());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(600)]
    public void Next_ContentReadInPart_SkipsTheRest(int taken)
    {
        var tar = new TarBytes();
        foreach (var size in Sizes) tar.File($"f{size}", Pattern(size));
        using var reader = new TarReader(tar.ToStream());
        foreach (var size in Sizes)
        {
            Assert.True(reader.Next());
            Assert.Equal($"f{size}", Encoding.ASCII.GetString(reader.Entry.Name.Span));
            reader.Read(new byte[taken], out _);
        }

        Assert.False(reader.Next());
    }

    [Fact]
    public void Read_BeforeTheFirstEntryAndOfNoContent_IsEmpty()
    {
        using var reader = new TarReader(new TarBytes().Directory("d").File("f", "content").ToStream());
        Assert.Equal(0, reader.Read(new byte[10], out _));
        Assert.True(reader.Next());
        Assert.Equal(0, reader.Read(new byte[10], out _));
        Assert.True(reader.Next());
        Assert.Equal(0, reader.Read([], out _));
        Assert.Equal(7, reader.Read(new byte[10], out _));
    }

    [Fact]
    public void Next_Always_ReusesOneEntryWithoutAllocating()
    {
        var tar = new TarBytes();
        for (var index = 0; index < 1000; index++)
        {
            tar.Pax(("path", $"directory/{index}"), ("mtime", "1700000000.5"), ("SCHILY.xattr.user.a", "value")).File("f", "content");
        }

        using var reader = new TarReader(tar.ToStream());
        reader.Next();
        var entry = reader.Entry;
        reader.Next();
        var before = GC.GetAllocatedBytesForCurrentThread();
        while (reader.Next()) Assert.Same(entry, reader.Entry);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
    }

    [Fact]
    public void Dispose_Twice_LeavesTheStreamOpen()
    {
        var stream = new TarBytes().File("a").ToStream();
        var reader = new TarReader(stream);
        Assert.True(reader.Next());
        reader.Dispose();
        reader.Dispose();
        Assert.True(stream.CanRead);
        Assert.Throws<ObjectDisposedException>(() => reader.Next());
    }

    [Fact]
    public void Next_StreamThatFails_LetsItsErrorThrough()
    {
        using var reader = new TarReader(new FailingStream());
        Assert.Throws<IOException>(() => reader.Next());
    }

    private static byte[] Pattern(int size) => [.. Enumerable.Range(0, size).Select(index => (byte)((index * 31) + (index >> 8)))];

    private sealed class FailingStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("the network is gone");

        public override int Read(Span<byte> buffer) => throw new IOException("the network is gone");
    }
}

/// <summary>Gives at most a few bytes for each call, as a network does.</summary>
internal sealed class SlowStream(byte[] bytes, int step) : MemoryStream(bytes, writable: false)
{
    public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, step));

    public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, step)]);
}
