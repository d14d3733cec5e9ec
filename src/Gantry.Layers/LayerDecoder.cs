using Gantry.Layers.Compression;
using Gantry.Layers.Tar;

namespace Gantry.Layers;

/// <summary>How a layer's bytes are compressed; what they are counts, not what a media type says.</summary>
public enum LayerCompression
{
    None,
    Gzip,
    Zstd,
}

/// <summary>From a layer as it is stored to the archive in it.</summary>
public static class LayerDecoder
{
    /// <summary>How many bytes <see cref="Sniff"/> wants to see; a shorter layer is shown whole.</summary>
    public const int SniffLength = TarHeader.Size;

    /// <summary>
    /// Reads the first bytes of <paramref name="compressed"/> and gives the archive in it, to be read from one thread at a time. Reading it to its end reads
    /// <paramref name="compressed"/> to its end, so that whoever hashes that one has seen all of it; what follows the last gzip member is read and ignored.
    /// Nothing at all is an empty archive. Damage of any kind is a <see cref="LayerException"/>, here or while reading; a zstd layer
    /// where libzstd is not installed is a <see cref="DllNotFoundException"/> that says how to get it. Disposing of the result frees its
    /// memory (up to 128 MiB for zstd's window, under 200 KiB otherwise) and leaves <paramref name="compressed"/> to the caller.
    /// </summary>
    /// <param name="windows">For who reads several at a time; null: each takes its own.</param>
    public static Stream Open(Stream compressed, IWindowMemory? windows = null) => Open(compressed, windows, out _);

    /// <inheritdoc cref="Open(Stream, IWindowMemory)"/>
    /// <param name="found">What the bytes are; null where there are none.</param>
    public static Stream Open(Stream compressed, IWindowMemory? windows, out LayerCompression? found)
    {
        var input = new CompressedInput(compressed);
        try
        {
            var first = input.Peek(SniffLength);
            found = first.IsEmpty ? null : Sniff(first);
            if (first.IsEmpty) return new PlainStream(input);
            return found switch
            {
                LayerCompression.Gzip => new GzipDecoder(input),
                LayerCompression.Zstd => new ZstdDecoder(input, windows),
                LayerCompression.None => new PlainStream(input),
                _ => throw new LayerException(LayerFault.Compression, "a layer is neither gzip nor zstd nor tar"),
            };
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    /// <summary>What a layer that starts with these bytes is; null for anything that no layer may be (xz, bzip2, a page of HTML).</summary>
    public static LayerCompression? Sniff(ReadOnlySpan<byte> first)
    {
        if (first.StartsWith(GzipDecoder.Magic)) return LayerCompression.Gzip;
        if (ZstdDecoder.IsFrame(first)) return LayerCompression.Zstd;
        if (first.Length < SniffLength) return null;

        // A damaged header is still called tar where it bears tar's name: the reader can then say what is wrong with it.
        var header = new TarHeader(first[..SniffLength]);
        return header.IsZero || header.IsUstar || header.IsGnu || header.HasValidChecksum ? LayerCompression.None : null;
    }
}
