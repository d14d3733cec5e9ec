using System.Globalization;
using System.Text.Json;

namespace Gantry.Server.Api;

internal delegate bool Parser<T>(string text, out T value);

/// <summary>
/// The body of a request, a JSON object, read a property at a time: every fault is kept, a property that nobody asked
/// for is one, and <see cref="End"/> names all of them at once. Until then a faulty property reads like a missing one.
/// </summary>
/// <remarks>No body reads like <c>{}</c>. At most <see cref="ApiRoute.MaxBody"/> bytes are read.</remarks>
internal sealed class BodyFields
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly Dictionary<string, JsonElement> _fields;
    private readonly List<string> _known = [];
    private readonly SortedDictionary<string, List<string>> _faults = new(StringComparer.Ordinal);

    private BodyFields(Dictionary<string, JsonElement> fields) => _fields = fields;

    /// <exception cref="ApiException">400, 415: it is no JSON object, or does not say that it is JSON.</exception>
    public static async Task<BodyFields> ReadAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (body.Length == 0) return new BodyFields([]);
        // A form on somebody else's page can send anything but this without asking the server first.
        if (!http.Request.HasJsonContentType()) throw new ApiException(415, "the body must be application/json");
        try
        {
            using var document = JsonDocument.Parse(body.GetBuffer().AsMemory(0, (int)body.Length), Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new ApiException(400, "the body must be a JSON object");
            return new BodyFields(document.RootElement.EnumerateObject()
                .ToDictionary(property => property.Name, property => property.Value.Clone(), StringComparer.Ordinal));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: half of a surrogate pair in a property's name.
            throw new ApiException(400, e is JsonException { LineNumber: { } line, BytePositionInLine: { } column }
                ? $"the body is not valid JSON, at line {line + 1}, byte {column + 1}" : "the body is not valid JSON");
        }
    }

    /// <summary>Whether the property is there, be it null.</summary>
    public bool Has(string name) => _fields.ContainsKey(name);

    public void Fault(string name, string fault)
    {
        if (!_faults.TryGetValue(name, out var faults)) _faults[name] = faults = [];
        faults.Add(fault);
    }

    /// <summary>Null: missing. Control characters are faults: the database holds none of U+0000, and people read the rest.</summary>
    public string? Text(string name, int longest, bool required = false)
    {
        if (Value(name, required, JsonValueKind.String, "must be a text") is not { } value || TextOf(name, value) is not { } text) return null;
        if (text.Length <= longest && !text.Any(char.IsControl) && (text.Length > 0 || !required)) return text;
        Fault(name, $"must have {(required ? 1 : 0)} to {longest} characters, none of them a control character");
        return null;
    }

    /// <summary>A required text of any lines, U+0000 aside; null: missing.</summary>
    public string? Prose(string name, int longest)
    {
        if (Value(name, true, JsonValueKind.String, "must be a text") is not { } value || TextOf(name, value) is not { } text) return null;
        if (text.Length <= longest && !text.Contains('\0', StringComparison.Ordinal)) return text;
        Fault(name, $"must have at most {longest} characters, none of them U+0000");
        return null;
    }

    public bool? Flag(string name, bool required = false) =>
        Value(name, required, null, "must be true or false") is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : Faulty<bool>(name, "must be true or false");

    public int? Number(string name, int least, int most)
    {
        var fault = $"must be a whole number from {least} to {most}";
        return Value(name, false, JsonValueKind.Number, fault) is not { } value ? null
            : value.TryGetInt32(out var number) && number >= least && number <= most ? number : Faulty<int>(name, fault);
    }

    /// <summary>A moment in RFC 3339's form, so with its offset.</summary>
    public DateTimeOffset? Time(string name)
    {
        const string fault = $"must be {TimeForm}";
        if (Value(name, false, JsonValueKind.String, fault) is not { } value || TextOf(name, value) is not { } text) return null;
        return TryParseTime(text, out var time) ? time : Faulty<DateTimeOffset>(name, fault);
    }

    /// <summary>What the query is told too.</summary>
    public const string TimeForm = "a time like 2030-12-31T23:59:59Z";

    public static bool TryParseTime(string text, out DateTimeOffset time)
    {
        var hasOffset = text.Length is > 19 and < 50 && text[10] == 'T' && text.AsSpan(19).IndexOfAny("Z+-") >= 0;
        var isTime = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out time);
        return hasOffset && isTime;
    }

    /// <summary>A value of an enumeration, by its lowercase name.</summary>
    public T? Word<T>(string name, bool required = false)
        where T : struct, Enum
    {
        if (Text(name, 100, required) is not { } text) return null;
        var words = Enum.GetValues<T>().ToDictionary(value => value.ToString().ToLowerInvariant(), StringComparer.Ordinal);
        return words.TryGetValue(text, out var value) ? value : Faulty<T>(name, $"must be {string.Join(" or ", words.Keys)}");
    }

    /// <summary>A required text that has a type of its own.</summary>
    public T Parse<T>(string name, Parser<T> parser, string fault)
        where T : struct => ParseAny(name, parser, fault, required: true) ?? default;

    /// <summary>A text that has a type of its own; null: missing.</summary>
    public T? ParseAny<T>(string name, Parser<T> parser, string fault, bool required = false, int longest = 1000)
        where T : struct
    {
        if (Text(name, longest, required) is not { } text) return null;
        return parser(text, out var parsed) ? parsed : Faulty<T>(name, fault);
    }

    /// <summary>A list of texts, at least one; empty: missing.</summary>
    public IReadOnlyList<string> Texts(string name, int most, bool required = true)
    {
        if (Value(name, required, JsonValueKind.Array, "must be a list of texts") is not { } list) return [];
        if (list.GetArrayLength() == 0 || list.GetArrayLength() > most || list.EnumerateArray().Any(entry => entry.ValueKind != JsonValueKind.String))
        {
            Fault(name, $"must be a list of 1 to {most} texts");
            return [];
        }

        var texts = list.EnumerateArray().Select(entry => TextOf(name, entry)).OfType<string>().ToList();
        if (texts.Any(text => text.Any(char.IsControl))) Fault(name, "must hold no control characters");
        return texts;
    }

    /// <summary>A required object of texts; null: it is none.</summary>
    public IReadOnlyDictionary<string, string>? TextMap(string name)
    {
        if (Value(name, true, JsonValueKind.Object, "must be an object of texts") is not { } map) return null;
        try
        {
            if (map.EnumerateObject().All(entry => entry.Value.ValueKind == JsonValueKind.String && !entry.Name.Any(char.IsControl)))
                return map.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString()!, StringComparer.Ordinal);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, as in TextOf.
        }

        Fault(name, "must be an object of texts");
        return null;
    }

    /// <exception cref="ApiException">400, with all that is wrong.</exception>
    public void End()
    {
        foreach (var unknown in _fields.Keys.Except(_known).Where(name => !_faults.ContainsKey(name)))
            Fault(unknown, $"is not known here: {string.Join(", ", _known)} {(_known.Count == 1 ? "is" : "are")}");
        if (_faults.Count == 0) return;
        throw new ApiException(
            400, string.Join("; ", _faults.SelectMany(entry => entry.Value.Select(fault => $"{entry.Key} {fault}"))),
            _faults.ToDictionary(entry => entry.Key, entry => entry.Value.ToArray(), StringComparer.Ordinal));
    }

    private JsonElement? Value(string name, bool required, JsonValueKind? kind, string fault)
    {
        if (!_known.Contains(name)) _known.Add(name);
        if (!_fields.TryGetValue(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            if (required) Fault(name, "is missing");
            return null;
        }

        if (kind is null || value.ValueKind == kind) return value;
        Fault(name, fault);
        return null;
    }

    private string? TextOf(string name, JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: JSON's grammar lets it in, Unicode does not.
            Fault(name, "must be Unicode text");
            return null;
        }
    }

    private T? Faulty<T>(string name, string fault)
        where T : struct
    {
        Fault(name, fault);
        return null;
    }
}
