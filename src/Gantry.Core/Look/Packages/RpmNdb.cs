using System.Buffers.Binary;

namespace Gantry.Core.Look.Packages;

/// <summary>rpm's own form (rpm, lib/backend/ndb/rpmpkg.c): a table of slots at the start, each with where a header lies in blocks of 16 bytes. All numbers little-endian.</summary>
internal static class RpmNdb
{
    private const int SlotBytes = 16, BlockBytes = 16, PageBytes = 4096;

    public static bool IsOne(ReadOnlySpan<byte> file) => file.Length >= 32 && file.StartsWith("RpmP"u8);

    public static IEnumerable<ReadOnlyMemory<byte>> Headers(ReadOnlyMemory<byte> file)
    {
        var pages = BinaryPrimitives.ReadUInt32LittleEndian(file.Span[12..]);
        if (pages == 0 || pages * (long)PageBytes > file.Length) throw Damaged("its slots are outside of it");

        // The first two places are the file's own header.
        var read = 0L;
        for (var slot = 2 * SlotBytes; slot < pages * PageBytes; slot += SlotBytes)
        {
            var (magic, index) = (file.Slice(slot, 4), BinaryPrimitives.ReadUInt32LittleEndian(file.Span[(slot + 4)..]));
            if (!magic.Span.SequenceEqual("Slot"u8)) throw Damaged("a slot is none");
            if (index == 0) continue;
            var blob = Blob(file, index, BinaryPrimitives.ReadUInt32LittleEndian(file.Span[(slot + 8)..]) * (long)BlockBytes);
            if ((read += blob.Length) > PackageReading.MaxHeaders) throw Damaged("its slots lead to the same headers");
            yield return blob;
        }
    }

    private static ReadOnlyMemory<byte> Blob(ReadOnlyMemory<byte> file, uint index, long at)
    {
        if (at + BlockBytes > file.Length) throw Damaged("a header is outside of it");
        var blob = file[(int)at..];
        if (!blob.Span.StartsWith("BlbS"u8) || BinaryPrimitives.ReadUInt32LittleEndian(blob.Span[4..]) != index) throw Damaged("a slot leads to something else");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(blob.Span[12..]);
        return length <= blob.Length - BlockBytes ? blob.Slice(BlockBytes, (int)length) : throw Damaged("a header is cut off");
    }

    private static InvalidDataException Damaged(string why) => new($"rpm's database is damaged: {why}");
}
