using System.Runtime.InteropServices;
using Gantry.Layers.Compression;
using Gantry.TestKit;

namespace Gantry.Layers.Tests.Compression;

/// <summary>zstd's window comes from whoever bounds it, and goes back there.</summary>
public sealed class WindowMemoryTests
{
    private readonly Memory _memory = new();

    [Theory]
    [InlineData(17, 0)]
    [InlineData(20, 1)]
    [InlineData(23, 8)]
    [InlineData(27, 128)]
    [Trait("Pull", "B78")]
    public void Read_Window_IsTakenWhereItIsLarge(int windowLog, int mebibytes)
    {
        var content = new byte[3 << 20];
        Assert.Equal(content, Read(Zstd.Frame(windowLog, Runs(24))));
        int[] expected = mebibytes == 0 ? [] : [mebibytes];
        Assert.Equal(expected, _memory.Taken.Select(bytes => (int)(bytes >> 20)));
        Assert.Equal(_memory.Taken, _memory.Given);
        Assert.Equal(mebibytes > 0, _memory.Rests > 0);
    }

    [Fact]
    public void Read_FramesOfGrowingWindows_HasOneAtATime()
    {
        Assert.Equal(9 << 20, Read([.. Zstd.Frame(21, Runs(24)), .. Zstd.Frame(24, Runs(24)), .. Zstd.Frame(22, Runs(24))]).Length);
        Assert.True(_memory.Taken.Count >= 2);
        Assert.Equal(_memory.Taken, _memory.Given);
        Assert.Equal(1, _memory.Most);
    }

    [Fact]
    public void Read_WithoutRoom_TellsWhyThereIsNone()
    {
        _memory.Failure = new IOException("the disk is full");
        Assert.Equal("the disk is full", Assert.Throws<IOException>(() => Read(Zstd.Frame(23, Runs(24)))).Message);
        Assert.Equal(_memory.Taken, _memory.Given);
    }

    private static byte[][] Runs(int count) => [.. Enumerable.Range(1, count).Select(number => Zstd.RunBlock(0, 128 << 10, number == count))];

    private byte[] Read(byte[] layer)
    {
        using var decoded = LayerDecoder.Open(new MemoryStream(layer), _memory);
        var content = new MemoryStream();
        decoded.CopyTo(content);
        return content.ToArray();
    }

    private sealed unsafe class Memory : IWindowMemory
    {
        public List<nuint> Taken { get; } = [];

        public List<nuint> Given { get; } = [];

        public int Rests { get; private set; }

        public int Most { get; private set; }

        public IOException? Failure { get; set; }

        public nint Take(nuint bytes)
        {
            if (Failure is not null) throw Failure;
            Taken.Add(bytes);
            Most = Math.Max(Most, Taken.Count - Given.Count);
            return (nint)NativeMemory.AlignedAlloc(bytes, 4096);
        }

        public void GiveBack(nint memory, nuint bytes)
        {
            Given.Add(bytes);
            NativeMemory.AlignedFree((void*)memory);
        }

        public void Rest(nint memory, nuint bytes) => Rests++;
    }
}
