using System.Net.Http.Headers;

namespace Gantry.Engine.Remote.Access;

/// <summary>One offer of a <c>WWW-Authenticate</c> header (RFC 9110, 11.6.1). What cannot be read of a header is passed over.</summary>
/// <param name="Scheme">In lower case.</param>
/// <param name="Parameters">Names in lower case; the first of two that are equal counts.</param>
internal sealed record AuthChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int MaxLength = 8 * 1024;

    public string? this[string name] => Parameters.GetValueOrDefault(name);

    /// <summary>Bearer comes first wherever it stands, then Basic: that one sends the password itself.</summary>
    public static AuthChallenge? Best(HttpResponseHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues("WWW-Authenticate", out var lines)) return null;
        var all = lines.Take(8).SelectMany(Parse).ToList();
        return all.Find(challenge => challenge.Scheme == "bearer" && challenge["realm"] is not null) ?? all.Find(challenge => challenge.Scheme == "basic");
    }

    /// <summary>All challenges of one header line, several of which may stand in it, separated by commas.</summary>
    public static IReadOnlyList<AuthChallenge> Parse(string line)
    {
        var found = new List<AuthChallenge>();
        Dictionary<string, string>? parameters = null;
        var rest = line.AsSpan(0, Math.Min(line.Length, MaxLength));
        while (true)
        {
            rest = rest.TrimStart(" \t,");
            var name = Token(ref rest);
            if (name.Length == 0) return found;

            var afterSpace = rest.TrimStart(" \t");
            if (afterSpace.StartsWith("=") && parameters is not null)
            {
                rest = afterSpace[1..].TrimStart(" \t");
                if (!TryValue(ref rest, out var value)) return found;
                parameters.TryAdd(name.ToLowerInvariant(), value);
            }
            else
            {
                parameters = new Dictionary<string, string>(StringComparer.Ordinal);
                found.Add(new AuthChallenge(name.ToLowerInvariant(), parameters));
            }
        }
    }

    private static string Token(ref ReadOnlySpan<char> rest)
    {
        var length = 0;
        while (length < rest.Length && (char.IsAsciiLetterOrDigit(rest[length]) || "!#$%&'*+-.^_`|~".Contains(rest[length], StringComparison.Ordinal))) length++;
        var token = rest[..length].ToString();
        rest = rest[length..];
        return token;
    }

    private static bool TryValue(ref ReadOnlySpan<char> rest, out string value)
    {
        if (!rest.StartsWith("\""))
        {
            var end = rest.IndexOfAny(" \t,");
            value = (end < 0 ? rest : rest[..end]).ToString();
            rest = end < 0 ? [] : rest[end..];
            return value.Length > 0;
        }

        var text = new System.Text.StringBuilder();
        for (var at = 1; at < rest.Length; at++)
        {
            if (rest[at] == '"')
            {
                value = text.ToString();
                rest = rest[(at + 1)..];
                return true;
            }

            if (rest[at] == '\\' && at + 1 < rest.Length) at++;
            text.Append(rest[at]);
        }

        value = "";
        return false;
    }
}
