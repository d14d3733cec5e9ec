using Gantry.Core.Look;
using Gantry.Core.Look.Indexing;
using Gantry.Core.Look.Listings;
using Gantry.Engine.Tests.Unpack;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Core.Tests.Look;

public sealed class HostileLayerTests
{
    /// <summary>Whatever the bytes are: refused as a layer, or listed in order, each name once.</summary>
    [Fact]
    public void DamagedLayers_AreRefused_OrListedInOrder()
    {
        var (random, layers, listed) = (new Random(3), new RandomLayers(3), 0);
        for (var round = 0; round < 4000; round++)
        {
            var tar = layers.Chain()[0].ToArray();
            for (var count = random.Next(4); count > 0; count--)
            {
                var header = random.Next(tar.Length / 512) * 512;
                tar[Math.Min(tar.Length - 1, header + random.Next(random.Next(2) == 0 ? 160 : 512))] = (byte)random.Next(256);
                if (random.Next(4) > 0) Repair(tar.AsSpan(header, Math.Min(512, tar.Length - header)));
            }

            try
            {
                var entries = Entries(tar);
                listed++;
                for (var index = 1; index < entries.Count; index++) Assert.True(entries[index - 1].Key.AsSpan().SequenceCompareTo(entries[index].Key) < 0);
                Assert.Empty(entries[0].Key);
            }
            catch (LayerException)
            {
                // As it should be.
            }
        }

        Assert.InRange(listed, 500, 3999);
    }

    /// <summary>A directory that comes and goes costs what was put into it, not what was ever in it.</summary>
    [Fact]
    public void DirectoryThatComesAndGoes_IsListedAsItWasLast()
    {
        var tar = new TarBytes();
        for (var number = 0; number < 3000; number++) tar.File($"d/{number}", "");
        tar.File("d/.wh.kept").File("d/sub/.wh..wh..opq");
        for (var round = 0; round < 3000; round++) tar.File("d", "").File("d/x", "");

        Assert.Equal(["", "d", "d/kept", "d/sub", "d/x"], Entries(tar.End().ToArray()).Select(entry => EntryKey.PathOf(entry.Key).ToString()));
    }

    [Fact]
    public void LongLinksAndNames_AreRefused()
    {
        var name = string.Join('/', Enumerable.Repeat(new string('n', 200), 21));
        Assert.Throws<LayerException>(() => Entries(new TarBytes().Pax(("path", name)).File("x").End().ToArray()));
        Assert.Throws<LayerException>(() => Entries(new TarBytes().Pax(("linkpath", name)).SymbolicLink("x", "y").End().ToArray()));
        Assert.Throws<LayerException>(() => Entries(new TarBytes().SymbolicLink("a", "a").File("a/b").End().ToArray()));
    }

    /// <summary>What a link leads to is its names, whatever stands between them, whether it is there already, comes later or lies below.</summary>
    [Fact]
    public void PaddedLinks_AreTheirNames()
    {
        var padding = $"/{string.Concat(Enumerable.Repeat("./", 50_000))}";
        var tar = new TarBytes().File("a/f", "f").Pax(("linkpath", $"a{padding}f")).HardLink("known", "x").Pax(("linkpath", $"{padding}a{padding}later")).HardLink("pending", "x")
            .Pax(("linkpath", $"b{padding}{padding}f{padding}")).HardLink("elsewhere", "x").File("a/later", "l");
        var links = Entries(tar.End().ToArray()).Where(entry => entry.Link is not null).Select(entry => $"{EntryKey.PathOf(entry.Key)} {new ImagePath(entry.Link!)}");
        Assert.Equal(["elsewhere b/f", "known a/f", "pending a/later"], links);
    }

    /// <summary>Names in a deep directory are stored as some bytes each, and are thousands once they are read: 256 such layers are looked at for one page.</summary>
    [Fact]
    public void DeepDirectory_HasPagesThatAreSmallInMemory()
    {
        var (tar, deep) = (new TarBytes(), string.Join('/', Enumerable.Repeat(new string('d', 250), 15)));
        for (var number = 0; number < 2000; number++) tar.Pax(("path", $"{deep}/{number}")).File("x");
        var layer = ReadLayer.From(new MemoryStream(tar.End().ToArray()), new LookOptions(), default);
        Assert.All(layer.Order.Pages(), page => Assert.InRange(LayerPage.Read(page.First, page.Page).Weight, 1, LayerPage.FullWeight + 5000));
    }

    /// <summary>A key that is cut has room for a number, however little is cut off.</summary>
    [Theory]
    [InlineData(2000)]
    [InlineData(2001)]
    [InlineData(2003)]
    [InlineData(2004)]
    [InlineData(4000)]
    public void Key_OfAnyLength_CanBeAPagesFirst(int length)
    {
        var key = Enumerable.Repeat((byte)'k', length).ToArray();
        Assert.Equal(Math.Min(length, 2000), EntryKey.Stored(key, 7).AsSpan().CommonPrefixLength(key));
        Assert.True(EntryKey.Stored(key, 7).AsSpan().SequenceCompareTo(EntryKey.Sought(key)) <= 0);
        if (length > 2000) Assert.Equal(7, EntryKey.NumberOf(EntryKey.Stored(key, 7)));
    }

    private static List<LayerEntry> Entries(byte[] tar)
    {
        var layer = ReadLayer.From(new MemoryStream(tar), new LookOptions(), default);
        var entries = layer.Order.Pages().SelectMany(page => LayerPage.Read(page.First, page.Page).Entries).ToList();
        Assert.Equal(layer.Order.Entries, entries.Count);
        return entries;
    }

    /// <summary>A right checksum, so that the damage gets past it.</summary>
    private static void Repair(Span<byte> header)
    {
        if (header.Length < 512) return;
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var part in header) sum += part;
        System.Text.Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ").CopyTo(header[148..]);
    }
}
