using System.Globalization;
using System.Text;

namespace Gantry.Server.Ui;

/// <summary>Bytes as <c>hexdump -C</c> shows them.</summary>
internal static class HexLines
{
    private const int Width = 16;

    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        for (var at = 0; at < bytes.Length; at += Width)
        {
            var line = bytes[at..Math.Min(at + Width, bytes.Length)];
            text.Append(CultureInfo.InvariantCulture, $"{at:x8} ");
            for (var index = 0; index < Width; index++)
            {
                text.Append(index == Width / 2 ? "  " : " ").Append(index < line.Length ? line[index].ToString("x2", CultureInfo.InvariantCulture) : "  ");
            }

            text.Append("  |");
            foreach (var part in line) text.Append(part is >= 0x20 and < 0x7F ? (char)part : '.');
            text.Append("|\n");
        }

        return text.ToString();
    }
}
