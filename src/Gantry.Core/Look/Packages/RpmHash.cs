using System.Buffers.Binary;

namespace Gantry.Core.Look.Packages;

/// <summary>
/// Berkeley DB's hash, rpm's form up to 4.16: every page is looked at, and each value that lies in overflow pages is a header. Small values are rpm's own counter. Read
/// as little-endian machines write it.
/// </summary>
internal static class RpmHash
{
    private const int PageHeader = 26;
    private const uint HashMagic = 0x061561;
    private const byte HashUnsorted = 2, Hash = 13, Overflow = 7, OffPage = 3;

    public static bool IsOne(ReadOnlySpan<byte> file) => file.Length >= 512 && BinaryPrimitives.ReadUInt32LittleEndian(file[12..]) == HashMagic;

    public static IEnumerable<ReadOnlyMemory<byte>> Headers(ReadOnlyMemory<byte> file)
    {
        var pageBytes = BinaryPrimitives.ReadInt32LittleEndian(file.Span[20..]);
        if (pageBytes is < 512 or > 65536 || file.Span[24] != 0) throw Damaged("its page size is none, or it is encrypted");
        var copied = 0L;
        for (var page = pageBytes; page + pageBytes <= file.Length; page += pageBytes)
        {
            if (file.Span[page + 25] is not (HashUnsorted or Hash)) continue;
            var entries = BinaryPrimitives.ReadUInt16LittleEndian(file.Span[(page + 20)..]);
            if (PageHeader + (2 * entries) > pageBytes) throw Damaged("a page has too many entries");

            // Keys and values take turns.
            for (var index = 1; index < entries; index += 2)
            {
                var item = BinaryPrimitives.ReadUInt16LittleEndian(file.Span[(page + PageHeader + (2 * index))..]);
                if (item >= pageBytes) throw Damaged("a value is outside of its page");
                if (file.Span[page + item] != OffPage) continue;
                if (item + 12 > pageBytes) throw Damaged("a value is outside of its page");
                var length = BinaryPrimitives.ReadUInt32LittleEndian(file.Span[(page + item + 8)..]);
                if (length > file.Length || (copied += length) > PackageReading.MaxHeaders) throw Damaged("a value is longer than the file");
                yield return Value(file, pageBytes, BinaryPrimitives.ReadUInt32LittleEndian(file.Span[(page + item + 4)..]), (int)length);
            }
        }
    }

    private static byte[] Value(ReadOnlyMemory<byte> file, int pageBytes, long number, int length)
    {
        var value = new byte[length];
        for (var filled = 0; filled < length;)
        {
            var at = number * pageBytes;
            if (number == 0 || at + pageBytes > file.Length) throw Damaged("a value goes on outside of it");
            var page = file.Span.Slice((int)at, pageBytes);
            var count = (int)BinaryPrimitives.ReadUInt16LittleEndian(page[22..]);
            if (page[25] != Overflow || count == 0 || count > pageBytes - PageHeader || count > length - filled) throw Damaged("a value goes on in a page of another kind");
            page.Slice(PageHeader, count).CopyTo(value.AsSpan(filled));
            filled += count;
            number = BinaryPrimitives.ReadUInt32LittleEndian(page[16..]);
        }

        return value;
    }

    private static InvalidDataException Damaged(string why) => new($"the Berkeley DB file is damaged: {why}");
}
