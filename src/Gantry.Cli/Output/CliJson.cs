using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Gantry.Cli.Output;

internal sealed record ProgressLine(string Event, string Id, string Status, long Bytes, long Total, bool Done);

internal sealed record NoteLine(string Event, string Message);

internal sealed record ErrorLine(string Event, string Fault, string Message, int ExitCode);

/// <summary>The end of a command that made or moved something.</summary>
internal sealed record ResultLine(string Event, string? Name = null, string? Digest = null, string? Path = null, string? Platform = null, long? Bytes = null);

/// <param name="Size">Of the layers' files; where they are not unpacked the same as the other.</param>
/// <param name="StoredSize">Of config and layers as they came.</param>
internal sealed record ImageLine(
    string Name, string Repository, string? Tag, string Digest, string? ImageId, string? Platform, DateTimeOffset? Created, long Size, long StoredSize);

/// <param name="Size">As of <see cref="ImageLine"/>.</param>
internal sealed record HistoryLine(string? Id, DateTimeOffset? Created, string CreatedBy, long Size, long StoredSize, string Comment);

internal sealed record TagLine(string Name, string Tag);

/// <summary>What <c>--json</c> prints: one object a line.</summary>
[JsonSerializable(typeof(ProgressLine))]
[JsonSerializable(typeof(NoteLine))]
[JsonSerializable(typeof(ErrorLine))]
[JsonSerializable(typeof(ResultLine))]
[JsonSerializable(typeof(ImageLine))]
[JsonSerializable(typeof(HistoryLine))]
[JsonSerializable(typeof(TagLine))]
internal sealed partial class CliJson : JsonSerializerContext
{
    private static readonly CliJson Relaxed = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    public static string Line<T>(T value) => Seen(JsonSerializer.Serialize(value, (JsonTypeInfo<T>)Relaxed.GetTypeInfo(typeof(T))!));

    /// <summary>
    /// Text as JSON has it is fit for a terminal once what is not seen is escaped too: marks that turn the direction of writing around, and the like. Such characters
    /// stand in strings alone.
    /// </summary>
    public static string Seen(string json)
    {
        var text = new StringBuilder(json.Length);
        foreach (var c in json)
        {
            if (c is '\n' or ' ' || !(char.IsControl(c) || IsUnseen(char.GetUnicodeCategory(c)))) text.Append(c);
            else text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return text.ToString();
    }

    private static bool IsUnseen(UnicodeCategory category) => category is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;
}
