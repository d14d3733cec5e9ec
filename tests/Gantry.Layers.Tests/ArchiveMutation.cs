using System.Text;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests;

/// <summary>Valid archives of every feature, and changes to them that aim at what a reader trusts.</summary>
internal static class ArchiveMutation
{
    private const int Block = 512;

    private static readonly string[] Fields =
    [
        "77777777777", "00000000000", "\0", "        ", "-1", "8", "00000001000", "00000000777", "\u0080\0\0\0\0\0\0\0\0\0\0\u0001",
        "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", "\u0080\0\0\0\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff",
    ];

    private static readonly string[] Texts =
        ["path=", "=", "\n", " ", "0", "9", "99999999999999999999", "-", ",", "GNU.sparse.", "size=", "\0", "1\n", "SCHILY.xattr."];

    // Where a header keeps its numbers and its type, and where the old sparse map and its continuation lie.
    private static readonly int[] Places = [100, 108, 116, 124, 124, 124, 136, 156, 156, 257, 329, 345, 386, 398, 410, 482, 483];

    public static byte[][] Samples { get; } =
    [
        new TarBytes().Directory("d").File("d/a", "content").SymbolicLink("l", "d/a").HardLink("h", "d/a").Device('3', "c", 1, 3).Fifo("p").End().ToArray(),
        new TarBytes().LongName(new string('n', 700)).LongLink(new string('t', 700))
            .SymbolicLink("l", "t", header => header.Gnu()).File("next", new byte[1500]).End().ToArray(),
        new TarBytes().Global(("comment", "c")).Pax(("path", new string('p', 300)), ("uid", "4000000"), ("gid", "1"), ("mtime", "1.5"), ("size", "9"))
            .Pax(("SCHILY.xattr.user.a", "v"), ("SCHILY.xattr.user.b", new byte[600])).File("a", "123456789").File("b").End().ToArray(),
        new TarBytes().OldSparse("o", 100_000, [.. Enumerable.Range(0, 40).Select(index => (index * 1000L, 7L))], new byte[280])
            .File("n", "x").End().ToArray(),
        new TarBytes().PaxSparse00("a", 900, [(0, 5), (100, 5)], "0123456789").PaxSparse01("b", 900, [(0, 5), (100, 5)], "0123456789")
            .PaxSparse10("c", 900, [(0, 5), (100, 5)], "0123456789").File("n", "x").End().ToArray(),
    ];

    public static byte[] Next(Random random)
    {
        var bytes = new List<byte>(Samples[random.Next(Samples.Length)]);
        for (var round = random.Next(1, 5); round > 0; round--) Change(random, bytes);
        var archive = bytes.ToArray();

        // Mostly with the sums put right again: otherwise nothing but the sum is ever tested.
        if (random.Next(8) > 0) Sum(archive);
        return archive;
    }

    private static void Change(Random random, List<byte> bytes)
    {
        var block = random.Next(bytes.Count / Block) * Block;
        var at = random.Next(bytes.Count);
        switch (random.Next(10))
        {
            case 0: bytes[at] = (byte)random.Next(256); break;
            case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 2: bytes.RemoveRange(block, Block); break;
            case 3: bytes.InsertRange(random.Next(bytes.Count / Block) * Block, bytes.GetRange(block, Block)); break;
            case 4: bytes.RemoveRange(at, bytes.Count - at); break;
            case 5: bytes.InsertRange(block, Samples[random.Next(Samples.Length)]); break;
            case 6: Write(bytes, at, Encoding.Latin1.GetBytes(Texts[random.Next(Texts.Length)])); break;
            case 7: bytes[block + 156 < bytes.Count ? block + 156 : at] = (byte)"01234567xgLKS\0Q"[random.Next(15)]; break;
            default: Write(bytes, block + Places[random.Next(Places.Length)], Encoding.Latin1.GetBytes(Fields[random.Next(Fields.Length)])); break;
        }

        if (bytes.Count < Block) bytes.AddRange(new byte[Block]);
    }

    private static void Write(List<byte> bytes, int at, byte[] piece)
    {
        for (var index = 0; index < piece.Length && at + index < bytes.Count; index++) bytes[at + index] = piece[index];
    }

    private static void Sum(byte[] archive)
    {
        for (var at = 0; at + Block <= archive.Length; at += Block)
        {
            if (!archive.AsSpan(at + 257, 5).SequenceEqual("ustar"u8)) continue;
            archive.AsSpan(at + 148, 8).Fill((byte)' ');
            var sum = 0;
            foreach (var part in archive.AsSpan(at, Block)) sum += part;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(archive, at + 148);
        }
    }
}
