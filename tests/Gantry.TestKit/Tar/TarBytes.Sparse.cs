using System.Text;

namespace Gantry.TestKit.Tar;

/// <summary>Sparse files in the four forms that GNU tar has had. <c>data</c> is what is stored, the pieces one after the other.</summary>
public sealed partial class TarBytes
{
    /// <summary>The old form: type 'S', four pieces in the header, 21 in each block behind it.</summary>
    public TarBytes OldSparse(FieldBytes name, long size, (long Offset, long Length)[] map, FieldBytes data, Action<TarHeaderBytes>? change = null)
    {
        Header(header =>
        {
            header.Type('S').Name(name).Size(data.Length).Gnu().Number(483, 12, size);
            for (var index = 0; index < Math.Min(map.Length, 4); index++) header.OldSparsePair(index, map[index].Offset, map[index].Length);
            if (map.Length > 4) header.At(482, (byte[])[1]);
            change?.Invoke(header);
        });
        for (var next = 4; next < map.Length; next += 21) OldSparseBlock(map[next..Math.Min(map.Length, next + 21)], next + 21 < map.Length);
        return Raw(data).Pad();
    }

    /// <summary>One of the blocks that continue an old map.</summary>
    public TarBytes OldSparseBlock((long Offset, long Length)[] map, bool isContinued)
    {
        var block = new byte[512];
        for (var index = 0; index < map.Length; index++)
        {
            Encoding.ASCII.GetBytes($"{Octal(map[index].Offset)}\0{Octal(map[index].Length)}\0").CopyTo(block, 24 * index);
        }

        block[504] = isContinued ? (byte)1 : (byte)0;
        return Raw(block);
    }

    /// <summary>0.0: a record for each number.</summary>
    public TarBytes PaxSparse00(FieldBytes name, long size, (long Offset, long Length)[] map, FieldBytes data)
    {
        var records = new List<(FieldBytes, FieldBytes)> { ("GNU.sparse.size", $"{size}"), ("GNU.sparse.numblocks", $"{map.Length}") };
        foreach (var (offset, length) in map) records.AddRange([("GNU.sparse.offset", $"{offset}"), ("GNU.sparse.numbytes", $"{length}")]);
        return Pax(records.ToArray()).File(name, data);
    }

    /// <summary>0.1: one record with the map, the name in another.</summary>
    public TarBytes PaxSparse01(FieldBytes name, long size, (long Offset, long Length)[] map, FieldBytes data) =>
        Pax(
            ("GNU.sparse.size", $"{size}"),
            ("GNU.sparse.numblocks", $"{map.Length}"),
            ("GNU.sparse.name", name),
            ("GNU.sparse.map", string.Join(',', map.Select(pair => $"{pair.Offset},{pair.Length}"))))
        .File("GNUSparseFile.0/x", data);

    /// <summary>1.0: the map before the data, in blocks of its own.</summary>
    public TarBytes PaxSparse10(FieldBytes name, long size, (long Offset, long Length)[] map, FieldBytes data)
    {
        var lines = string.Concat(map.Select(pair => $"{pair.Offset}\n{pair.Length}\n"));
        return PaxSparse10(name, size, $"{map.Length}\n{lines}", data);
    }

    /// <summary>1.0 with any bytes for a map.</summary>
    public TarBytes PaxSparse10(FieldBytes name, long size, FieldBytes map, FieldBytes data)
    {
        var padded = new byte[(map.Length + 511) & ~511];
        map.Span.CopyTo(padded);
        return Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", name), ("GNU.sparse.realsize", $"{size}"))
            .File("GNUSparseFile.0/x", (byte[])[.. padded, .. data.Span]);
    }

    private static string Octal(long value) => Convert.ToString(value, 8).PadLeft(11, '0');
}
