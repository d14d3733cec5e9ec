using System.Buffers;
using System.Text;

namespace Gantry.Core.Access;

/// <summary>What RFC 4514 and RFC 4515 say about names and filters, as far as a login needs it.</summary>
internal static class LdapText
{
    private static readonly SearchValues<char> Special = SearchValues.Create("*()\\\0");

    /// <summary>A filter with a value in it that is a value and nothing else, whatever it holds (RFC 4515, section 3).</summary>
    public static string Filter(string filter, string value) =>
        filter.Replace("{0}", Escaped(value), StringComparison.Ordinal);

    /// <summary>The value of a distinguished name's first attribute: the name of a group. Null: there is none.</summary>
    public static string? FirstValue(string dn)
    {
        var start = dn.IndexOf('=', StringComparison.Ordinal) + 1;
        if (start == 0 || dn.AsSpan(start).TrimStart().StartsWith("#")) return null;

        // Escaped is a sign itself, or the two hex digits of a byte of its UTF-8.
        var bytes = new ArrayBufferWriter<byte>(dn.Length);
        var rest = dn.AsSpan(start).TrimStart();
        while (rest.Length > 0 && rest[0] is not (',' or '+' or ';'))
        {
            if (rest[0] == '\\')
            {
                rest = rest[1..];
                if (rest.Length >= 2 && char.IsAsciiHexDigit(rest[0]) && char.IsAsciiHexDigit(rest[1]))
                {
                    bytes.Write(Convert.FromHexString(rest[..2]));
                    rest = rest[2..];
                    continue;
                }

                if (rest.Length == 0) return null;
            }

            var length = rest.Length > 1 && char.IsSurrogatePair(rest[0], rest[1]) ? 2 : 1;
            bytes.Advance(Encoding.UTF8.GetBytes(rest[..length], bytes.GetSpan(4)));
            rest = rest[length..];
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan).Trim() is { Length: > 0 } value ? value : null;
    }

    /// <summary>A filter's form alone: the server judges the rest.</summary>
    public static bool IsFilter(string filter)
    {
        var depth = 0;
        for (var i = 0; i < filter.Length; i++)
        {
            if (filter[i] == '(') depth++;
            else if (filter[i] == ')' && --depth == 0 && i < filter.Length - 1) return false;
            if (depth <= 0 && i < filter.Length - 1) return false;
        }

        return depth == 0 && filter.Contains("{0}", StringComparison.Ordinal) && !filter.Contains('\0', StringComparison.Ordinal);
    }

    /// <summary>A name of RFC 4512: letters, digits, '-', or an object identifier; and options (<c>;lang-en</c>).</summary>
    public static bool IsAttribute(string name) =>
        name.Length is > 0 and <= 128 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ';' or '_');

    private static string Escaped(string value)
    {
        if (value.AsSpan().IndexOfAny(Special) < 0) return value;
        var text = new StringBuilder(value.Length + 8);
        foreach (var c in value)
        {
            if (Special.Contains(c)) text.Append('\\').Append(((int)c).ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
            else text.Append(c);
        }

        return text.ToString();
    }
}
