using System.Text;

namespace Gantry.Layers;

/// <summary>Names out of an archive as text for messages: short, and without what would move a terminal's cursor or forge a log's line.</summary>
public static class Printable
{
    private const int MaxLength = 200;

    /// <summary>Valid UTF-8 as it is; every other byte and every control or format character as <c>\xNN</c> or <c>\uNNNN</c>.</summary>
    public static string Of(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder();
        while (!name.IsEmpty && text.Length < MaxLength)
        {
            var isWhole = Rune.DecodeFromUtf8(name, out var rune, out var length) == System.Buffers.OperationStatus.Done;
            if (!isWhole) text.Append($"\\x{name[0]:x2}");
            else if (rune.Value == '\\' || Rune.IsControl(rune) || IsUnseen(rune)) text.Append($"\\u{rune.Value:x4}");
            else text.Append(rune.ToString());
            name = name[(isWhole ? length : 1)..];
        }

        return name.IsEmpty ? text.ToString() : text.Append("...").ToString();
    }

    private static bool IsUnseen(Rune rune) => Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Format
        or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator
        or System.Globalization.UnicodeCategory.OtherNotAssigned or System.Globalization.UnicodeCategory.PrivateUse;
}
