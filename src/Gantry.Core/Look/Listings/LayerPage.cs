using System.Buffers;
using System.IO.Compression;

namespace Gantry.Core.Look.Listings;

/// <summary>Some hundred entries of a layer next to each other. Each key says only how it goes on from the one before it; all of it is deflated.</summary>
internal sealed class LayerPage
{
    /// <summary>What a page has before it is compressed, and one entry more.</summary>
    public const int FullBytes = 64 * 1024;

    /// <summary>
    /// What a page takes of memory, and one entry more: keys of a deep directory are stored as a few bytes, and are four thousand each once they are read.
    /// </summary>
    public const int FullWeight = 1 << 20;

    /// <summary>Of an entry's memory what is not its key, roughly.</summary>
    public const int EntryWeight = 200;

    private LayerPage(byte[] first, LayerEntry[] entries, int weight) => (First, Entries, Weight) = (first, entries, weight);

    /// <summary>As stored: see <see cref="EntryKey.Stored"/>.</summary>
    public byte[] First { get; }

    /// <summary>In the order of their keys, at least one.</summary>
    public LayerEntry[] Entries { get; }

    /// <summary>Bytes of memory, roughly.</summary>
    public int Weight { get; }

    public static LayerPage Read(byte[] first, byte[] page)
    {
        using var inflate = new DeflateStream(new MemoryStream(page), CompressionMode.Decompress);
        using var whole = new MemoryStream(FullBytes);
        inflate.CopyTo(whole);
        ReadOnlySpan<byte> rest = whole.GetBuffer().AsSpan(0, (int)whole.Length);

        var entries = new List<LayerEntry>();
        var (before, weight) = (Array.Empty<byte>(), 0);
        while (!rest.IsEmpty)
        {
            var shared = (int)Varint.Read(ref rest);
            byte[] key = [.. before.AsSpan(0, shared), .. Varint.ReadBytes(ref rest)];
            var marks = (EntryMarks)rest[0];
            rest = rest[1..];
            var record = EntryRecord.Read(ref rest);
            var link = (marks & EntryMarks.Linked) == EntryMarks.None ? null : Varint.ReadBytes(ref rest).ToArray();
            entries.Add(new LayerEntry(key, record, marks, link));
            weight += EntryWeight + key.Length + record.Target.Length + (link?.Length ?? 0);
            before = key;
        }

        return new LayerPage(first, [.. entries], weight);
    }

    /// <summary>The index of the first entry whose key is not below.</summary>
    public int IndexOf(ReadOnlySpan<byte> key)
    {
        var (low, high) = (0, Entries.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Entries[middle].Key.AsSpan().SequenceCompareTo(key) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}

/// <summary>Puts entries that come in order into pages.</summary>
internal sealed class LayerPageWriter
{
    private readonly ArrayBufferWriter<byte> _page = new(LayerPage.FullBytes + 4096);
    private byte[] _first = [];
    private byte[] _before = [];
    private int _pages, _weight;

    /// <summary>The record as <see cref="EntryRecord.Write"/> wrote it.</summary>
    public void Add(byte[] key, ReadOnlySpan<byte> record, EntryMarks marks, ReadOnlySpan<byte> link)
    {
        if (_page.WrittenCount == 0) (_first, _before) = (key, []);
        var shared = key.AsSpan().CommonPrefixLength(_before);
        Varint.Write(_page, (ulong)shared);
        Varint.WriteBytes(_page, key.AsSpan(shared));
        _page.Write([(byte)marks]);
        _page.Write(record);
        if ((marks & EntryMarks.Linked) != EntryMarks.None) Varint.WriteBytes(_page, link);
        _before = key;
        _weight += LayerPage.EntryWeight + key.Length;
    }

    public bool IsFull => _page.WrittenCount >= LayerPage.FullBytes || _weight >= LayerPage.FullWeight;

    public bool IsEmpty => _page.WrittenCount == 0;

    /// <summary>The page so far, compressed, and its first key as it is stored; the next page begins.</summary>
    public (byte[] First, byte[] Page) Take()
    {
        using var compressed = new MemoryStream();
        using (var deflate = new DeflateStream(compressed, CompressionLevel.Fastest, leaveOpen: true)) deflate.Write(_page.WrittenSpan);
        _page.ResetWrittenCount();
        _weight = 0;
        return (EntryKey.Stored(_first, _pages++), compressed.ToArray());
    }
}
