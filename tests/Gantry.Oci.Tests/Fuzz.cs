using System.Text;

namespace Gantry.Oci.Tests;

/// <summary>Random input with a bias to what parsers trip over; a failure names the seed that repeats it.</summary>
internal static class Fuzz
{
    private const string Awkward =
        "\0\t\n\r \"\\/%.:;,=*-_~+@#?&<>{}[]'`|!$()^0123456789abcdefABCDEFxyzé\u017F\u212A\u2028\uD800\uDC00\uFEFF\uFFFF";

    public static int NewSeed() => Random.Shared.Next();

    /// <summary>A word of up to <paramref name="max"/> characters, half of the time made of pieces of the grammar.</summary>
    public static string Word(Random random, int max, params string[] pieces)
    {
        var text = new StringBuilder();
        var length = random.Next(max + 1);
        var pieceShare = random.Next(4);
        while (text.Length < length)
        {
            if (pieces.Length > 0 && random.Next(4) < pieceShare) text.Append(pieces[random.Next(pieces.Length)]);
            else text.Append(Awkward[random.Next(Awkward.Length)]);
        }

        return text.ToString();
    }

    /// <summary>Changes some bytes of a document: flips, cuts, doubles, swaps, or pastes a piece of another.</summary>
    public static byte[] Mutate(Random random, byte[] content, byte[] other)
    {
        var bytes = new List<byte>(content);
        for (var round = random.Next(1, 6); round > 0; round--)
        {
            var at = random.Next(bytes.Count + 1);
            var count = random.Next(Math.Min(40, bytes.Count - at) + 1);
            switch (random.Next(6))
            {
                case 0: bytes.RemoveRange(at, count); break;
                case 1: bytes.InsertRange(at, bytes.GetRange(at, count)); break;
                case 2 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
                case 3 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 4: bytes.InsertRange(at, Encoding.UTF8.GetBytes(Word(random, 8, "\\ud800", "\\u0000", "null", "1e9", "{}", "[]"))); break;
                default:
                    var from = random.Next(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, random.Next(Math.Min(80, other.Length - from) + 1)));
                    break;
            }
        }

        return [.. bytes];
    }
}
