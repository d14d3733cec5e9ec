using System.Buffers.Binary;

namespace Gantry.Layers.Compression;

/// <summary>
/// zstd (RFC 8878): frames one after the other, skippable ones anywhere (zstd:chunked keeps its table in one). A window over 128 MiB, a dictionary,
/// anything that is no frame, and an end within a frame are damage.
/// </summary>
internal sealed class ZstdDecoder(CompressedInput input, IWindowMemory? windows) : DecodedStream(input)
{
    // As for gzip: frames without content cost time and yield nothing.
    private const int MaxEmptyFrames = 1024;

    private readonly ZstdHandle _zstd = new(windows);
    private bool _isInFrame;
    private bool _isHoldingOutput;
    private int _emptyFrames;

    /// <summary>Whether bytes start with a frame, of data or skippable.</summary>
    public static bool IsFrame(ReadOnlySpan<byte> first) =>
        BinaryPrimitives.TryReadUInt32LittleEndian(first, out var magic) && (magic == 0xFD2FB528 || (magic & 0xFFFFFFF0) == 0x184D2A50);

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        while (true)
        {
            var isLast = !_isHoldingOutput && Input.Peek(1).IsEmpty;
            if (isLast && !_isInFrame) return 0;
            if (isLast) throw Bad("a zstd layer is truncated");

            var isWhole = _zstd.Decompress(Input.Buffered, buffer, out var consumed, out var produced, out var fault)
                ?? throw Bad($"a zstd layer is damaged: {fault}");
            Input.Take(consumed);
            _isInFrame = !isWhole;
            _isHoldingOutput = produced == buffer.Length && !isWhole;
            if (produced > 0) _emptyFrames = 0;
            else if (isWhole && ++_emptyFrames > MaxEmptyFrames) throw Bad("a zstd layer has too many frames without content");
            if (produced > 0) return produced;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _zstd.Dispose();
        base.Dispose(disposing);
    }
}
