using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gantry.Core.Browse;

/// <summary>
/// Reads a config blob for people to look at: what is broken in it is left out, where a client that runs it would refuse. Memory: a few
/// times <see cref="MaxBytes"/>.
/// </summary>
public static class ImageConfigReader
{
    /// <summary>As for manifests; real ones have a few kilobytes.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    public const int MostItems = 2000;

    private static readonly string[] Known =
        ["User", "WorkingDir", "StopSignal", "StopTimeout", "Healthcheck", "Shell", "OnBuild", "Entrypoint", "Cmd", "Env", "ExposedPorts", "Volumes", "Labels"];

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    /// <summary>Null: not a JSON object.</summary>
    public static ImageConfig? Read(ReadOnlyMemory<byte> content)
    {
        if (content.Length > MaxBytes) return null;
        try
        {
            using var document = JsonDocument.Parse(content, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement) : null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // A key that is compared holds half a surrogate pair.
            return null;
        }
    }

    private static ImageConfig Read(JsonElement root)
    {
        var run = Member(root, "config");
        return new ImageConfig
        {
            Os = Text(root, "os"), Architecture = Text(root, "architecture"), Variant = Text(root, "variant"), OsVersion = Text(root, "os.version"),
            OsFeatures = Texts(root, "os.features"),
            Created = Time(root), Author = Text(root, "author"),
            User = Text(run, "User"), WorkingDir = Text(run, "WorkingDir"), StopSignal = Text(run, "StopSignal"),
            Entrypoint = Texts(run, "Entrypoint"), Cmd = Texts(run, "Cmd"), Env = Texts(run, "Env"),
            StopTimeout = Member(run, "StopTimeout") is { ValueKind: JsonValueKind.Number } seconds && seconds.TryGetInt64(out var count) ? count : null,
            Healthcheck = Member(run, "Healthcheck") is { ValueKind: JsonValueKind.Object } check ? Json(check) : null,
            Shell = Texts(run, "Shell"), OnBuild = Texts(run, "OnBuild"), Others = Others(run),
            ExposedPorts = Names(run, "ExposedPorts"), Volumes = Names(run, "Volumes"), Labels = Labels(run),
            DiffIds = Texts(Member(root, "rootfs"), "diff_ids"),
            History = [.. Items(root, "history").Where(step => step.ValueKind == JsonValueKind.Object).Select(ReadStep)],
        };
    }

    private static ImageHistory ReadStep(JsonElement step) => new(
        Time(step), Text(step, "created_by"), Text(step, "author"), Text(step, "comment"), Member(step, "empty_layer").ValueKind == JsonValueKind.True);

    private static JsonElement Member(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) ? value : default;

    private static string? Text(JsonElement of, string name) => Text(Member(of, name));

    private static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Not UTF-8, or half a surrogate pair: the reader says so once the text is wanted.
            return null;
        }
    }

    private static IEnumerable<JsonElement> Items(JsonElement of, string name) =>
        Member(of, name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Take(MostItems) : [];

    private static List<string> Texts(JsonElement of, string name) => [.. Items(of, name).Select(Text).OfType<string>()];

    private static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement of, string name) => Members(Member(of, name));

    private static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement members)
    {
        if (members.ValueKind != JsonValueKind.Object) yield break;
        foreach (var member in members.EnumerateObject().Take(MostItems))
        {
            if (NameOf(member) is { } text) yield return (text, member.Value);
        }
    }

    private static string? NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static List<string> Names(JsonElement of, string name) => [.. Members(of, name).Select(member => member.Name)];

    private static Dictionary<string, string> Labels(JsonElement of)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Members(of, "Labels")) labels[name] = Text(value) ?? "";
        return labels;
    }

    /// <summary>Builders write members that they have no use for too, without a value.</summary>
    private static Dictionary<string, string> Others(JsonElement run)
    {
        var others = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Members(run).Where(member => !Known.Contains(member.Name)))
        {
            if (Json(value) is { } text and not ("null" or "false" or "\"\"" or "[]" or "{}")) others[name] = text;
        }

        return others;
    }

    /// <summary>As it stands there, without white space between its parts: how a builder indents is no difference.</summary>
    private static string? Json(JsonElement value)
    {
        string raw;
        try
        {
            raw = value.GetRawText();
        }
        catch (InvalidOperationException)
        {
            // Not UTF-8.
            return null;
        }

        var text = new StringBuilder(raw.Length);
        var (isText, isEscaped) = (false, false);
        foreach (var c in raw)
        {
            if (!isText && char.IsWhiteSpace(c)) continue;
            text.Append(c);
            if (c == '"' && !isEscaped) isText = !isText;
            isEscaped = c == '\\' && !isEscaped;
        }

        return text.ToString();
    }

    /// <summary>Go writes the first second of the year 1 where no time was set.</summary>
    private static DateTimeOffset? Time(JsonElement of) =>
        Text(of, "created") is { Length: < 64 } text
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
        && time.Year is > 1 and < 9999 ? time : null;
}
