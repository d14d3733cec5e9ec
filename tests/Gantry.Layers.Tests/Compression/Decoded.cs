namespace Gantry.Layers.Tests.Compression;

/// <summary>A whole layer through the decoder.</summary>
internal static class Decoded
{
    public static byte[] Of(byte[] compressed, int step = int.MaxValue, int bufferSize = 4096) => Of(new Tar.SlowStream(compressed, step), bufferSize);

    public static byte[] Of(Stream compressed, int bufferSize = 4096)
    {
        using var layer = LayerDecoder.Open(compressed);
        var content = new MemoryStream();
        var buffer = new byte[bufferSize];
        while (layer.Read(buffer) is > 0 and var count) content.Write(buffer.AsSpan(0, count));
        Assert.Equal(0, layer.Read(buffer));
        Assert.Equal(0, compressed.Read(new byte[1]));
        return content.ToArray();
    }

    public static LayerException Refused(byte[] compressed, int step = int.MaxValue) => Refused(new Tar.SlowStream(compressed, step));

    public static LayerException Refused(Stream compressed)
    {
        var failure = Assert.Throws<LayerException>(() => Of(compressed));
        Assert.Equal(LayerFault.Compression, failure.Fault);
        return failure;
    }
}
