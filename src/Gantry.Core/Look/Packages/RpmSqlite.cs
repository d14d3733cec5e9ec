using System.Buffers.Binary;

namespace Gantry.Core.Look.Packages;

/// <summary>
/// What of SQLite's file format (sqlite.org, "Database File Format") it takes to read one table from its first row to its last: table b-trees and overflow pages. No index,
/// no journal, nothing is written.
/// </summary>
internal sealed class RpmSqlite
{
    private const byte InteriorTable = 5, LeafTable = 13;
    private const int FileHeader = 100;

    private readonly ReadOnlyMemory<byte> _file;
    private readonly int _pageBytes, _usable, _pages;
    private long _copied;
    private int _read;

    private RpmSqlite(ReadOnlyMemory<byte> file)
    {
        _file = file;
        var bytes = BinaryPrimitives.ReadUInt16BigEndian(file.Span[16..]);
        _pageBytes = bytes == 1 ? 65536 : bytes;
        _usable = _pageBytes - file.Span[20];
        if (_pageBytes < 512 || (_pageBytes & (_pageBytes - 1)) != 0 || _usable < 480) throw Damaged("its page size is none");
        _pages = file.Length / _pageBytes;
    }

    public static bool IsOne(ReadOnlySpan<byte> file) => file.Length > FileHeader && file.StartsWith("SQLite format 3\0"u8);

    /// <summary>The column <c>blob</c> of the table <c>Packages (hnum, blob)</c>.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Headers(ReadOnlyMemory<byte> file)
    {
        var database = new RpmSqlite(file);
        var root = database.FindTable("Packages"u8);
        foreach (var row in database.Rows(root)) yield return Column(row, 1);
    }

    private static InvalidDataException Damaged(string why) => new($"the SQLite database is damaged: {why}");

    /// <summary>The schema is a table of type, name, table, root page and statement, at the first page.</summary>
    private int FindTable(ReadOnlySpan<byte> name)
    {
        foreach (var row in Rows(1))
        {
            if (!Column(row, 0).Span.SequenceEqual("table"u8) || !Column(row, 1).Span.SequenceEqual(name)) continue;
            var root = 0;
            foreach (var part in Column(row, 3).Span) root = (root << 8) | part;
            return root;
        }

        throw Damaged("it has no table of packages");
    }

    private IEnumerable<ReadOnlyMemory<byte>> Rows(int root)
    {
        var pending = new Stack<int>([root]);
        while (pending.TryPop(out var number))
        {
            // A page that leads to itself would be read for ever, and those that wait be more than the file has.
            if (++_read > _pages * 2L || pending.Count > _pages) throw Damaged("its pages lead round in a circle");
            var page = Page(number);
            var start = number == 1 ? FileHeader : 0;
            var (type, cells) = (page.Span[start], BinaryPrimitives.ReadUInt16BigEndian(page.Span[(start + 3)..]));
            if (type is not (InteriorTable or LeafTable)) throw Damaged("a page is of another kind than a table's");
            var first = start + (type == LeafTable ? 8 : 12);
            if (first + (2 * cells) > _usable) throw Damaged("a page has too many cells");
            if (type == InteriorTable) pending.Push(ReadNumber(page.Span[(start + 8)..]));
            for (var index = 0; index < cells; index++)
            {
                // From right to left for a stack that gives the left one first.
                var isLeaf = type == LeafTable;
                var cell = BinaryPrimitives.ReadUInt16BigEndian(page.Span[(first + (2 * (isLeaf ? index : cells - 1 - index)))..]);
                if (cell + 4 > _usable) throw Damaged("a cell is outside of its page");
                if (isLeaf) yield return Row(page, cell);
                else pending.Push(ReadNumber(page.Span[cell..]));
            }
        }
    }

    private ReadOnlyMemory<byte> Row(ReadOnlyMemory<byte> page, int cell)
    {
        var rest = page.Span[cell.._usable];
        var whole = ReadVarint(ref rest);
        ReadVarint(ref rest);
        if (whole < 0 || whole > _file.Length || (_copied += whole) > PackageReading.MaxHeaders) throw Damaged("a row is longer than the file");
        var here = LocalBytes((int)whole);
        if (here > rest.Length) throw Damaged("a row is outside of its page");
        if (here == whole) return page.Slice(_usable - rest.Length, here);

        var row = new byte[whole];
        rest[..here].CopyTo(row);
        if (rest.Length < here + 4) throw Damaged("a row is outside of its page");
        var next = ReadNumber(rest[here..]);
        for (var filled = here; filled < row.Length;)
        {
            var overflow = Page(next).Span[.._usable];
            var count = Math.Min(overflow.Length - 4, row.Length - filled);
            overflow.Slice(4, count).CopyTo(row.AsSpan(filled));
            filled += count;
            next = ReadNumber(overflow);
        }

        return row;
    }

    /// <summary>How much of a row is in its own page ("Cell Payload Overflow Pages").</summary>
    private int LocalBytes(int whole)
    {
        var (most, least) = (_usable - 35, ((_usable - 12) * 32 / 255) - 23);
        if (whole <= most) return whole;
        var kept = least + ((whole - least) % (_usable - 4));
        return kept <= most ? kept : least;
    }

    /// <summary>A row is a header of types, then the values. An integer that is the row's number is stored as nothing.</summary>
    private static ReadOnlyMemory<byte> Column(ReadOnlyMemory<byte> row, int column)
    {
        var rest = row.Span;
        var headerBytes = ReadVarint(ref rest);
        if (headerBytes < row.Length - rest.Length || headerBytes > row.Length) throw Damaged("a row's header is outside of it");
        var types = row.Span[(row.Length - rest.Length)..(int)headerBytes];
        var at = headerBytes;
        for (var index = 0; ; index++)
        {
            if (types.IsEmpty) throw Damaged("a row has too few columns");
            var type = ReadVarint(ref types);
            var bytes = type switch { >= 12 => (type - 12) / 2, 5 => 6, 6 or 7 => 8, 8 or 9 or 0 => 0, >= 1 and <= 4 => type, _ => throw Damaged("a column of no type") };
            if (bytes > row.Length - at) throw Damaged("a column is outside of its row");
            if (index == column) return row.Slice((int)at, (int)bytes);
            at += bytes;
        }
    }

    private ReadOnlyMemory<byte> Page(int number) =>
        number >= 1 && number <= _pages ? _file.Slice((number - 1) * _pageBytes, _pageBytes) : throw Damaged("it speaks of a page that it does not have");

    private static int ReadNumber(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(bytes);

    private static long ReadVarint(ref ReadOnlySpan<byte> from)
    {
        var value = 0L;
        for (var index = 0; index < from.Length && index < 9; index++)
        {
            var part = from[index];
            value = index == 8 ? (value << 8) | part : (value << 7) | (part & 0x7FL);
            if (index < 8 && part >= 0x80) continue;
            from = from[(index + 1)..];
            return value;
        }

        throw Damaged("a number does not end");
    }
}
