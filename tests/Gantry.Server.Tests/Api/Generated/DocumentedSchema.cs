using System.Globalization;
using System.Text.Json;

namespace Gantry.Server.Tests.Api;

/// <summary>The schemas of the document: says whether an answer is what they promise.</summary>
internal sealed class DocumentedSchema(JsonElement document)
{
    public JsonElement Resolve(JsonElement schema)
    {
        foreach (var word in new[] { "allOf", "oneOf", "anyOf" })
        {
            if (schema.TryGetProperty(word, out var parts)) schema = parts.EnumerateArray().First(part => !part.TryGetProperty("type", out var type) || $"{type}" != "null");
        }

        while (schema.TryGetProperty("$ref", out var reference))
            schema = document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!.Split('/')[^1]);
        return schema;
    }

    /// <summary>Null: it is what the schema says.</summary>
    public string? FaultOf(JsonElement value, JsonElement schema, string at = "$")
    {
        schema = Resolve(schema);
        switch (value.ValueKind)
        {
            // Where null is allowed is said by the list of those that are required, and never null.
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.Object:
                return FaultOfObject(value, schema, at);
            case JsonValueKind.Array:
                if (!schema.TryGetProperty("items", out var items)) return $"{at} is a list and should be {schema}";
                return value.EnumerateArray().Select((item, i) => FaultOf(item, items, $"{at}[{i}]")).FirstOrDefault(fault => fault is not null);
            case JsonValueKind.String:
                if (!Is(schema, "string")) return $"{at} is a text and should be {schema}";
                var isOther = schema.TryGetProperty("enum", out var words) && words.EnumerateArray().All(word => word.GetString() != value.GetString());
                if (isOther) return $"{at} is {value} and should be one of {words}";
                return !schema.TryGetProperty("format", out var format) || format.GetString() != "date-time"
                    || DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, out _) ? null : $"{at} is {value}, which is no time";
            case JsonValueKind.Number:
                return Is(schema, "integer") || Is(schema, "number") ? null : $"{at} is a number and should be {schema}";
            default:
                return Is(schema, "boolean") ? null : $"{at} is {value} and should be {schema}";
        }
    }

    private string? FaultOfObject(JsonElement value, JsonElement schema, string at)
    {
        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray().Select(name => name.GetString()!))
            {
                if (!value.TryGetProperty(name, out var there) || there.ValueKind == JsonValueKind.Null) return $"{at}.{name} is missing";
            }
        }

        var hasMap = schema.TryGetProperty("additionalProperties", out var map) && map.ValueKind == JsonValueKind.Object;
        foreach (var property in value.EnumerateObject())
        {
            var inner = schema.TryGetProperty("properties", out var known) && known.TryGetProperty(property.Name, out var said) ? said : hasMap ? map : default;
            if (inner.ValueKind == JsonValueKind.Undefined) return $"{at}.{property.Name} is not in {schema}";
            if (FaultOf(property.Value, inner, $"{at}.{property.Name}") is { } fault) return fault;
        }

        return null;
    }

    /// <summary>The types a schema allows, whichever version of OpenAPI writes them.</summary>
    public static bool Is(JsonElement schema, string type) => schema.TryGetProperty("type", out var said)
        && (said.ValueKind == JsonValueKind.Array ? said.EnumerateArray().Any(one => one.GetString() == type) : said.GetString() == type);
}
