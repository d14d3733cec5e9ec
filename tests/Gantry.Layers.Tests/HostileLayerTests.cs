using Gantry.Layers.Tar;
using Gantry.Layers.Tests.Compression;
using Gantry.TestKit;

namespace Gantry.Layers.Tests;

/// <summary>Whatever a layer's bytes are, they are read or refused: no other error, no loop, no memory that the bytes did not pay for.</summary>
[Trait("Speed", "Slow")]
public sealed class HostileLayerTests
{
    private const int Rounds = 20_000;

    [Fact]
    [Trait("Pull", "C47")]
    [Trait("Pull", "C76")]
    public void Archives_MutatedAtRandom_AreReadOrRefused()
    {
        var read = Run(ArchiveMutation.Next);

        // Neither all nor nothing: the changes reach past the first check.
        Assert.InRange(read, Rounds / 20, Rounds * 19 / 20);
    }

    [Fact]
    [Trait("Pull", "C73")]
    public void CompressedArchives_MutatedAtRandom_AreReadOrRefused() => Run(random =>
    {
        var archive = ArchiveMutation.Next(random);
        var layer = random.Next(2) == 0 ? Gzip.Member(archive) : Zstd.Compress(archive);
        for (var round = random.Next(3); round > 0; round--) layer[random.Next(layer.Length)] ^= (byte)(1 << random.Next(8));
        return random.Next(4) == 0 ? layer[..random.Next(layer.Length)] : layer;
    });

    [Fact]
    [Trait("Pull", "C76")]
    public void Noise_IsReadOrRefused() => Run(random =>
    {
        var noise = new byte[random.Next(3000)];
        random.NextBytes(noise);
        if (noise.Length > 0 && random.Next(2) == 0) (random.Next(2) == 0 ? [0x1F, 0x8B, 8, 0] : Zstd.Magic).AsSpan(0, Math.Min(4, noise.Length)).CopyTo(noise);
        return noise;
    });

    private static int Run(Func<Random, byte[]> next)
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var read = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var layer = next(random);
            try
            {
                Read(layer, random);
                read++;
            }
            catch (LayerException refused)
            {
                Assert.DoesNotContain(refused.Message, char.IsControl);
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {seed}, round {round}: {failure}");
            }
        }

        return read;
    }

    private static void Read(byte[] layer, Random random)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var decoded = LayerDecoder.Open(new MemoryStream(layer, writable: false));
        using var reader = new TarReader(decoded);
        var buffer = new byte[random.Next(1, 3000)];
        var components = new List<Range>();
        var entries = 0;
        var content = 0L;
        while (reader.Next())
        {
            var entry = reader.Entry;
            entries++;
            Assert.DoesNotContain((byte)0, entry.Name.ToArray());
            Assert.DoesNotContain((byte)0, entry.LinkName.ToArray());
            Assert.True(entry.Size >= 0 && entry.Mode <= 0xFFF && entry.Uid != uint.MaxValue && entry.Gid != uint.MaxValue);
            Assert.InRange(entry.Modified.Nanoseconds, 0, 999_999_999);
            foreach (var attribute in entry.Attributes) Assert.InRange(attribute.Value.Length, 0, 64 << 10);
            EntryName.Split(entry.Name.Span, components);
            if (components.Count > 0) EntryName.Whiteout(entry.Name.Span[components[^1]]);

            var position = 0L;
            while (random.Next(20) > 0 && reader.Read(buffer, out var offset) is > 0 and var count)
            {
                Assert.True(offset >= position && offset + count <= entry.Size);
                position = offset + count;
                content += count;
            }
        }

        reader.Drain();

        // A few times the archive's length, and what a reader of anything takes: the bound does not hang on what headers claim.
        Assert.True(entries <= 1_000_000 / 512 && content < 1_000_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }
}
