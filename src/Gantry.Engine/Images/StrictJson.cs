using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Gantry.Layers;

namespace Gantry.Engine.Images;

/// <summary>
/// JSON as a client must read it: no key twice, no key that a reader without regard to case would take for another one, no text that holds half a surrogate
/// pair, nothing deeper than 64. A document that two readers could take for two things has no reading.
/// </summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    public static EngineException Invalid(string what) => new(EngineFault.InvalidDocument, what);

    /// <summary>Input for a message.</summary>
    public static string Shown(string text) => Printable.Of(Encoding.UTF8.GetBytes(text.Length > 200 ? text[..200] : text));

    /// <summary>Parses one object and hands it to <paramref name="read"/>; whatever is wrong with the text comes out as <see cref="EngineFault.InvalidDocument"/>.</summary>
    public static T Read<T>(ReadOnlyMemory<byte> content, string what, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(content, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw Invalid($"{what}: not a JSON object");
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new EngineException(EngineFault.InvalidDocument, $"{what}: not strict JSON", e);
        }
        catch (InvalidOperationException e)
        {
            // The reader says so of \ud800 without its second half, once the text is wanted.
            throw new EngineException(EngineFault.InvalidDocument, $"{what}: a text holds half a surrogate pair", e);
        }
    }

    public static FrozenSet<string> Names(params string[] names) => names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>The fields of an object that are known and not null; none where the object itself is absent or null.</summary>
    public static Dictionary<string, JsonElement> Fields(JsonElement of, string path, FrozenSet<string> known)
    {
        var fields = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (of.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return fields;
        if (of.ValueKind != JsonValueKind.Object) throw Invalid($"{path}: not an object");
        foreach (var field in of.EnumerateObject())
        {
            // Go folds the long s and the Kelvin sign onto ASCII, .NET does not.
            if (!known.TryGetValue(field.Name.Replace('\u017F', 's').Replace('\u212A', 'k'), out var exact)) continue;
            if (exact != field.Name) throw Invalid($"{path}.{Shown(field.Name)}: must be written {exact}");
            if (field.Value.ValueKind != JsonValueKind.Null) fields.Add(field.Name, field.Value);
        }

        return fields;
    }

    /// <summary>Null where it is absent or null. What holds a NUL is refused: no path, no argument and no variable can.</summary>
    public static string? Text(this Dictionary<string, JsonElement> fields, string name, string path) =>
        fields.TryGetValue(name, out var value) ? Text(value, $"{path}.{name}") : null;

    public static string Text(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.String) throw Invalid($"{path}: not a string");
        var text = value.GetString()!;
        return text.Contains('\0', StringComparison.Ordinal) ? throw Invalid($"{path}: holds a NUL") : text;
    }

    public static List<string> Texts(this Dictionary<string, JsonElement> fields, string name, string path) =>
        fields.Items(name, path).Select((item, i) => Text(item, $"{path}.{name}[{i}]")).ToList();

    public static IEnumerable<JsonElement> Items(this Dictionary<string, JsonElement> fields, string name, string path)
    {
        if (!fields.TryGetValue(name, out var value)) return [];
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Invalid($"{path}.{name}: not an array");
    }
}
