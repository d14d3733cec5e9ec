using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;

namespace Gantry.Oci.Serialization;

/// <summary>The forms a field can have, and the words in which a broken one is refused.</summary>
internal static class ManifestFields
{
    private const int MaxMediaTypeLength = 255; // RFC 6838, section 4.2: 127 a side of the slash

    private const int MaxShown = 60;

    private static readonly SearchValues<char> Visible =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);

    private static readonly SearchValues<char> VisibleOrSpace =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)]);

    public static OciException Invalid(string detail) => new(OciErrorCode.ManifestInvalid, detail);

    /// <summary>A piece of input fit for an error text: short, and without what would upset a terminal or a log.</summary>
    public static string Shown(string text, int max = MaxShown) =>
        string.Create(Math.Min(text.Length, max), text, static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++) to[i] = from[i] is >= ' ' and <= '~' ? from[i] : '?';
        });

    public static FrozenSet<string> KnownNames(params string[] names) =>
        names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>There, and not null: Go clients write null for what is empty.</summary>
    public static bool IsGiven(JsonElement value) =>
        value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>
    /// The fields of an object. A name that differs from a known one in case alone is refused: Go clients would take it
    /// for the known one, so the same bytes would mean something else to them than to us.
    /// </summary>
    public static IEnumerable<(string Name, JsonElement Value)> Fields(JsonElement of, string path, FrozenSet<string> known)
    {
        foreach (var field in of.EnumerateObject())
        {
            var name = field.Name;
            if (known.TryGetValue(GoFolded(name), out var exact) && exact != name)
                throw Invalid($"{path}{Shown(name)}: must be written {exact}");
            yield return (name, field.Value);
        }
    }

    public static string? OptionalString(JsonElement value, string path) => value.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => throw Invalid($"{path}: not a string"),
    };

    /// <summary>Null for an empty one too: that is how some clients write "none".</summary>
    public static string? OptionalMediaType(JsonElement value, string path) =>
        OptionalString(value, path) is { Length: > 0 } text ? CheckedType(text, path, spaces: true) : null;

    /// <summary>
    /// Liberal about the grammar, strict about what could break a header, a log line or an index row.
    /// </summary>
    /// <param name="spaces">Whether parameters after a space pass, as in <c>text/plain; charset=utf-8</c>.</param>
    public static string CheckedType(string text, string path, bool spaces)
    {
        if (text.Length is 0 or > MaxMediaTypeLength || text[0] == ' ' || text[^1] == ' '
            || text.AsSpan().ContainsAnyExcept(spaces ? VisibleOrSpace : Visible))
        {
            throw Invalid($"{path}: not a media type: \"{Shown(text)}\"");
        }

        return text;
    }

    public static Dictionary<string, string>? OptionalAnnotations(JsonElement value, string path)
    {
        if (!IsGiven(value)) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Invalid($"{path}: not an object");

        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var field in value.EnumerateObject())
        {
            if (field.Value.ValueKind != JsonValueKind.String)
                throw Invalid($"{path}: the value of \"{Shown(field.Name)}\" is not a string");
            annotations.Add(field.Name, field.Value.GetString()!);
        }

        return annotations;
    }

    /// <summary>Go folds two letters onto ASCII that .NET keeps apart: the long s and the Kelvin sign.</summary>
    private static string GoFolded(string name) => name.Replace('\u017F', 's').Replace('\u212A', 'k');
}
