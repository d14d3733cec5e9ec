using System.Buffers.Binary;
using System.Text;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Look;

/// <summary>Headers of packages, and the three forms of rpm's database around them.</summary>
internal static class RpmBytes
{
    private const int Page = 4096;

    /// <param name="name">Of the package.</param>
    /// <param name="version">And its release.</param>
    /// <param name="epoch">Null: it has none.</param>
    /// <param name="padding">Bytes of some other tag, before those that are wanted.</param>
    public static byte[] Header(string name, string version, int? epoch = null, int padding = 0)
    {
        var (index, data) = (new List<byte>(), new List<byte>(new byte[padding]));
        while (data.Count % 4 != 0) data.Add(0);
        void Add(int tag, int type, byte[] value)
        {
            foreach (var part in new[] { tag, type, data.Count, 1 }) index.AddRange(Big(part));
            data.AddRange(value);
        }

        if (epoch is { } number) Add(1003, 4, Big(number));
        Add(1000, 6, Text(name));
        Add(1001, 6, Text(version.Split('-')[0]));
        Add(1002, 6, Text(version.Split('-')[1]));
        Add(1004, 9, Text("a summary"));
        Add(1022, 6, Text("x86_64"));
        return [.. Big(index.Count / 16), .. Big(data.Count), .. index, .. data];
    }

    public static byte[] Sqlite(params byte[][] headers) => TestKit.Sqlite.File(
    [
        "PRAGMA page_size = 4096", "CREATE TABLE Sigmd5 (key BLOB NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)",
        "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)",
        .. headers.Select(header => $"INSERT INTO Packages (blob) VALUES (x'{Convert.ToHexString(header)}')"),
    ]);

    public static byte[] Ndb(params byte[][] headers)
    {
        var file = new byte[Page];
        Encoding.ASCII.GetBytes("RpmP").CopyTo(file, 0);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(12), 1);
        var blobs = new List<byte>();
        for (var slot = 2; slot < Page / 16; slot++)
        {
            var place = file.AsSpan(slot * 16);
            "Slot"u8.CopyTo(place);
            if (slot - 2 >= headers.Length) continue;
            BinaryPrimitives.WriteInt32LittleEndian(place[4..], slot - 1);
            BinaryPrimitives.WriteInt32LittleEndian(place[8..], (Page + blobs.Count) / 16);
            blobs.AddRange([.. "BlbS"u8, .. Little(slot - 1), .. Little(1), .. Little(headers[slot - 2].Length), .. headers[slot - 2]]);
            while (blobs.Count % 16 != 0) blobs.Add(0);
        }

        return [.. file, .. blobs];
    }

    public static byte[] Hash(params byte[][] headers)
    {
        var pages = new List<byte[]> { new byte[Page], new byte[Page] };
        BinaryPrimitives.WriteInt32LittleEndian(pages[0].AsSpan(12), 0x061561);
        BinaryPrimitives.WriteInt32LittleEndian(pages[0].AsSpan(20), Page);
        var (hash, end) = (pages[1], Page);
        hash[25] = 13;
        BinaryPrimitives.WriteUInt16LittleEndian(hash.AsSpan(20), (ushort)(2 * headers.Length));
        for (var number = 0; number < headers.Length; number++)
        {
            end -= 5;
            hash[end] = 1;
            BinaryPrimitives.WriteUInt16LittleEndian(hash.AsSpan(26 + (4 * number)), (ushort)end);
            end -= 12;
            hash[end] = 3;
            BinaryPrimitives.WriteInt32LittleEndian(hash.AsSpan(end + 4), pages.Count);
            BinaryPrimitives.WriteInt32LittleEndian(hash.AsSpan(end + 8), headers[number].Length);
            BinaryPrimitives.WriteUInt16LittleEndian(hash.AsSpan(28 + (4 * number)), (ushort)end);
            foreach (var piece in headers[number].Chunk(Page - 26))
            {
                var page = new byte[Page];
                page[25] = 7;
                BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(22), (ushort)piece.Length);
                BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(16), pages.Count + 1);
                piece.CopyTo(page, 26);
                pages.Add(page);
            }
        }

        return [.. pages.SelectMany(page => page)];
    }

    private static byte[] Text(string text) => [.. Encoding.ASCII.GetBytes(text), 0];

    private static byte[] Big(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Little(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return bytes;
    }
}
