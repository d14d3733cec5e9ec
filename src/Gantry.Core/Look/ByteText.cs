using System.Buffers;
using System.Globalization;
using System.Text;

namespace Gantry.Core.Look;

/// <summary>
/// Names of files, any bytes, as text that can be shown and read back: valid UTF-8 as it is, every other byte and what cannot be seen (controls, marks that turn
/// the direction of writing) as <c>\xNN</c>, a backslash as two.
/// </summary>
public static class ByteText
{
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            var isWhole = Rune.DecodeFromUtf8(bytes, out var rune, out var length) == OperationStatus.Done;
            if (rune.Value == '\\' && isWhole) text.Append(@"\\");
            else if (isWhole && !IsUnseen(rune)) text.Append(rune.ToString());
            else foreach (var part in bytes[..length]) text.Append(CultureInfo.InvariantCulture, $"\\x{part:x2}");
            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <summary>False where a backslash is followed by neither another one nor <c>x</c> and two digits.</summary>
    public static bool TryRead(string text, out byte[] bytes)
    {
        var read = new ArrayBufferWriter<byte>(text.Length + 1);
        bytes = [];
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var escape = rest.IndexOf('\\');
            Encoding.UTF8.GetBytes(escape < 0 ? rest : rest[..escape], read);
            if (escape < 0) break;
            rest = rest[(escape + 1)..];
            if (rest.StartsWith("\\"))
            {
                read.Write("\\"u8);
                rest = rest[1..];
            }
            else if (rest.Length >= 3 && rest[0] == 'x' && byte.TryParse(rest[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var part))
            {
                read.Write([part]);
                rest = rest[3..];
            }
            else return false;
        }

        bytes = read.WrittenSpan.ToArray();
        return true;
    }

    private static bool IsUnseen(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;
}
