using System.Security.Cryptography;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>Images that want much memory of whoever unpacks them, each by another way.</summary>
internal static class GreedyImages
{
    private const int BlockBytes = 128 << 10;

    /// <summary>zstd layers whose windows are the largest that are read, and full; in the last one the matches lie 100 MiB back.</summary>
    public static TestImage Windows(int layers)
    {
        var image = new TestImage();
        for (var number = 1; number < layers; number++) AddRuns(image, $"runs-{number}", blocks: 1200);
        var far = Far();
        var tar = Entry("far", far);
        return image.Add(Zstd.CompressLong(tar), Digest.Of(tar).ToString(), TestImage.ZstdLayer);
    }

    /// <summary>Layers of nothing but directories, as many as are remembered at the most.</summary>
    public static TestImage Directories(int layers, int count)
    {
        var image = new TestImage();
        for (var number = 0; number < layers; number++)
        {
            var tar = new MemoryStream();
            for (var index = 0; index < count; index++) tar.Write(new TarHeaderBytes().Type('5').Mode(0b111_101_101).Name($"{number}/{index / 500}/{index}").ToArray());
            tar.Write(new byte[1024]);
            image.Add(TestImage.Compress(tar.ToArray()), Digest.Of(tar.ToArray()).ToString(), TestImage.GzipLayer);
        }

        return image;
    }

    private static void AddRuns(TestImage image, string name, int blocks)
    {
        var header = new TarHeaderBytes().Type('0').Name(name).Size((long)blocks * BlockBytes).ToArray();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(header);
        var run = new byte[BlockBytes];
        run.AsSpan().Fill((byte)'x');
        for (var block = 0; block < blocks; block++) hash.AppendData(run);
        hash.AppendData(new byte[1024]);
        byte[][] frame = [Zstd.RawBlock(header, false), .. Enumerable.Repeat(Zstd.RunBlock((byte)'x', BlockBytes, false), blocks), Zstd.RawBlock(new byte[1024], true)];
        image.Add(Zstd.Frame(27, frame), $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}", TestImage.ZstdLayer);
    }

    private static byte[] Entry(string name, byte[] content) =>
        [.. new TarHeaderBytes().Type('0').Name(name).Size(content.Length).ToArray(), .. content, .. new byte[(-content.Length & 511) + 1024]];

    /// <summary>150 MiB: 50 that compress by half, 50 others, and the first again in another order.</summary>
    private static byte[] Far()
    {
        const int third = 50 << 20, piece = 4 << 10;
        var content = new byte[3 * third];
        var random = new Random(1);
        random.NextBytes(content.AsSpan(0, 2 * third));
        for (var at = 0; at < 2 * third; at++) content[at] &= 0x0F;
        for (var at = 2 * third; at < content.Length; at += piece) content.AsSpan(random.Next(third / piece) * piece, piece).CopyTo(content.AsSpan(at));
        return content;
    }
}
