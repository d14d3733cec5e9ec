using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gantry.Server.Tests.Api;

/// <summary>An operation as the document has it.</summary>
internal sealed record Operation(string Method, string Path, JsonElement Json)
{
    public IEnumerable<JsonElement> Parameters => Json.TryGetProperty("parameters", out var all) ? all.EnumerateArray() : [];

    public override string ToString() => $"{Method} {Path}";
}

/// <summary>A request that was made up.</summary>
internal sealed record MadeRequest(string Path, HttpContent? Body, string BodyText, (string Name, string Value)[] Headers);

/// <summary>
/// Makes requests of the document: each parameter and each property of a body is something that is there, something at the edge of what it may
/// be, or something that nobody should send.
/// </summary>
internal sealed class RequestGenerator(Random random, DocumentedSchema schemas, IReadOnlyDictionary<string, string[]> known)
{
    private int _names;

    // NUL and dots alone are not in a path: Kestrel refuses the one, and clients take the others out, before there is a route.
    private static readonly string[] Strange =
    [
        "x", "0", "-1", "1", "9223372036854775807", "99999999999999999999", "1.5", "true", "null", "*", "%", "%2F", "a%2Fb", "a b", "'; DROP TABLE tags; --", "\"",
        "<script>alert(1)</script>", "{0}", "${jndi:x}", "..%2f..%2fetc", "a/../b", "a\\b", "\\x00", "ä", "\u202egnp.exe", "😀", "\uffff", "\u007f", ":", "sha256:", "@", "~",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999+14:00", "-", "_", "A", "a--b",
    ];

    private static readonly string[] StrangeInQuery = [.. Strange, "", ".", "..", "\0", "a\0b", "\r\nX: y", "\t"];

    public MadeRequest Next(Operation operation)
    {
        var path = operation.Path;
        var query = new List<string>();
        var headers = new List<(string, string)>();
        // Half of all requests have nothing strange but what one place has.
        var isKind = random.Next(2) == 0;
        foreach (var parameter in operation.Parameters)
        {
            var name = parameter.GetProperty("name").GetString()!;
            var schema = schemas.Resolve(parameter.GetProperty("schema"));
            switch (parameter.GetProperty("in").GetString())
            {
                case "path":
                    path = path.Replace($"{{{name}}}", Uri.EscapeDataString(IsFine(isKind) ? Valid($"{{{name}}}", schema, name) : Any(Strange)));
                    break;
                case "query":
                    var isRequired = parameter.TryGetProperty("required", out var required) && required.GetBoolean();
                    if (random.Next(3) == 0 && !(isRequired && isKind)) break;
                    query.Add($"{name}={Uri.EscapeDataString(IsFine(isKind) ? Valid(name, schema) : Any(StrangeInQuery))}");
                    break;
                default:
                    if (random.Next(2) == 0) headers.Add((name, Any(["*", "\"x\"", "W/\"0123\"", "x", "\"", "W/\"a\", \"b\""])));
                    break;
            }
        }

        if (operation.Method == "GET" && random.Next(4) == 0) headers.Add(("If-None-Match", Any(["*", "W/\"x\"", "x\""])));
        if (random.Next(20) == 0) query.Add($"strange={new string('x', random.Next(8000))}");
        var (body, text) = operation.Json.TryGetProperty("requestBody", out var described)
            ? BodyOf(described.GetProperty("content").GetProperty("application/json").GetProperty("schema"), isKind) : (null, "");
        return new MadeRequest(query.Count == 0 ? path : $"{path}?{string.Join('&', query)}", body, text, [.. headers]);
    }

    private bool IsFine(bool isKind) => random.Next(isKind ? 20 : 3) > 0;

    private string Valid(string name, JsonElement schema, string? otherwise = null)
    {
        if (known.TryGetValue(name, out var values) || (otherwise is not null && known.TryGetValue(otherwise, out values))) return Any(values);
        if (schema.TryGetProperty("enum", out var words)) return words[random.Next(words.GetArrayLength())].GetString()!;
        if (DocumentedSchema.Is(schema, "integer"))
        {
            var (least, most) = (schema.TryGetProperty("minimum", out var min) ? min.GetInt32() : 0, schema.TryGetProperty("maximum", out var max) ? max.GetInt32() : 100);
            return random.Next(4) switch { 0 => $"{least}", 1 => $"{most}", _ => $"{random.Next(least, most)}" };
        }

        return Any(Strange);
    }

    private (HttpContent? Body, string Text) BodyOf(JsonElement schema, bool isKind)
    {
        var value = ValueOf("", schemas.Resolve(schema), isKind) as JsonObject ?? new JsonObject();
        if (!isKind && random.Next(3) == 0) value[Any(["strange", "__proto__", "", "Name", "a.b"])] = "x";
        var text = value.ToJsonString();
        if (!isKind)
        {
            text = random.Next(12) switch
            {
                0 => "", 1 => "{", 2 => "[]", 3 => "null", 4 => text + "}", 5 => text.Insert(random.Next(text.Length), "\\ud800"),
                6 => new string('[', 10_000), 7 => $"{{\"a\":\"{new string('x', 100_000)}\"}}", 8 => "{\"a\":1,\"a\":2}", 9 => "\0", _ => text,
            };
        }

        var type = !isKind && random.Next(6) == 0 ? Any(["text/plain", "application/x-www-form-urlencoded", "application/xml"]) : "application/json";
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return (content, $"{type} {text[..Math.Min(text.Length, 500)]}");
    }

    private JsonNode? ValueOf(string name, JsonElement schema, bool isKind)
    {
        if (!IsFine(isKind) && name.Length > 0)
        {
            return random.Next(9) switch
            {
                0 => null, 1 => 7, 2 => -0.5, 3 => true, 4 => new JsonArray(1, "x", new JsonObject()), 5 => new JsonObject { ["x"] = new JsonArray() },
                6 => new string('x', random.Next(3000)), _ => Any(StrangeInQuery),
            };
        }

        if (known.TryGetValue(name, out var values)) return Any(values);
        // What it names is made: no two alike.
        if (name == "name") return string.Create(CultureInfo.InvariantCulture, $"made{random.Next(1_000_000)}-{_names++}");
        if (schema.TryGetProperty("enum", out var words)) return words[random.Next(words.GetArrayLength())].GetString();
        if (schema.TryGetProperty("properties", out var properties))
        {
            var required = schema.TryGetProperty("required", out var list) ? list.EnumerateArray().Select(one => one.GetString()!).ToHashSet() : [];
            var made = new JsonObject();
            foreach (var property in properties.EnumerateObject().Where(property => required.Contains(property.Name) || random.Next(2) == 0))
                made[property.Name] = ValueOf(property.Name, schemas.Resolve(property.Value), isKind);
            return made;
        }

        if (schema.TryGetProperty("items", out var items)) return new JsonArray([.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => ValueOf($"{name}[]", schemas.Resolve(items), isKind))]);
        if (schema.TryGetProperty("additionalProperties", out var inner) && inner.ValueKind == JsonValueKind.Object) return new JsonObject { ["sub"] = "x" };
        if (DocumentedSchema.Is(schema, "boolean")) return random.Next(2) == 0;
        if (DocumentedSchema.Is(schema, "integer")) return random.Next(5) * random.Next(1000);
        if (schema.TryGetProperty("format", out var format) && format.GetString() == "date-time") return Any(["2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]);
        return Any(Strange);
    }

    private T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];
}
