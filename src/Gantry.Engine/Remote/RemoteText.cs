using System.Buffers;
using System.Globalization;
using System.Text;

namespace Gantry.Engine.Remote;

/// <summary>What a server said, as text for people: no control character reaches a terminal, no query of an address is shown.</summary>
internal static class RemoteText
{
    /// <summary>The most of a server's own words that one message shows.</summary>
    public const int MaxServerText = 1024;

    /// <summary>At most so many bytes of UTF-8, what is unseen escaped; what is cut ends in dots.</summary>
    public static string Shown(string? text, int maxBytes = MaxServerText)
    {
        var shown = new StringBuilder();
        var left = text.AsSpan();
        var bytes = 0;
        while (!left.IsEmpty)
        {
            var isWhole = Rune.DecodeFromUtf16(left, out var rune, out var length) == OperationStatus.Done;
            var piece = !isWhole || IsUnseen(rune) ? $"\\u{(isWhole ? rune.Value : left[0]):x4}" : rune.ToString();
            bytes += Encoding.UTF8.GetByteCount(piece);
            if (bytes > maxBytes - 3) return shown.Append("...").ToString();
            shown.Append(piece);
            left = left[length..];
        }

        return shown.ToString();
    }

    /// <summary>Scheme, host, port and path: the query of a signed address is a secret, and so is what stands before an @.</summary>
    public static string Shown(Uri address) =>
        Shown(address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped), 300);

    private static bool IsUnseen(Rune rune) => Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;
}
