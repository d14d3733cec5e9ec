using System.Globalization;
using System.Text;

namespace Gantry.Server.Ui;

/// <summary>
/// Text from anywhere, to be looked at: what cannot be seen and marks that turn the direction of writing, by which a text says something else than it shows, stand there as
/// <c>\u{202e}</c>. Lines and tabs stay.
/// </summary>
internal static class ShownText
{
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text;
        var shown = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsHidden(rune)) shown.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
            else shown.Append(rune.ToString());
        }

        return shown.ToString();
    }

    /// <summary>So many characters of it at most; what comes from images and from senders may be as long as it likes.</summary>
    public static string Of(string text, int most) => Of(text.Length <= most ? text : Start(text, most - 1) + "…");

    /// <summary>The beginning, in whole characters.</summary>
    public static string Start(string text, int most)
    {
        if (text.Length <= most) return text;
        return text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];
    }

    // Joiners are parts of words, and of pictures.
    private static bool IsHidden(Rune rune) => rune.Value switch
    {
        '\n' or '\t' or 0x200C or 0x200D => false,
        '\r' => true,
        _ => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator,
    };
}
