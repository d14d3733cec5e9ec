using System.Text;
using System.Text.Json;

namespace Gantry.Server.Ui;

/// <summary>
/// JSON a member a line, its texts and numbers as they stand there. Stops after so many characters: hostile documents are nested so that their indentation alone is
/// a hundred times the document.
/// </summary>
internal static class JsonLines
{
    private const int MaxDepth = 64;

    /// <returns>Null where the bytes are not JSON, as far as they were read.</returns>
    public static (string Text, bool IsCut)? Of(ReadOnlySpan<byte> json, int most)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        var text = new StringBuilder(Math.Min(json.Length * 2, most));
        var last = JsonTokenType.None;
        try
        {
            for (; reader.Read(); last = reader.TokenType)
            {
                Separate(text, last, reader.TokenType, reader.CurrentDepth);
                Write(text, ref reader);
                if (text.Length > most) return (ShownText.Start(text.ToString(), most), true);
            }
        }
        catch (JsonException)
        {
            return null;
        }

        return (text.ToString(), false);
    }

    private static void Separate(StringBuilder text, JsonTokenType last, JsonTokenType next, int depth)
    {
        var isFirst = last is JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.None;
        var isEnd = next is JsonTokenType.EndObject or JsonTokenType.EndArray;
        if (last == JsonTokenType.PropertyName || last == JsonTokenType.None || (isFirst && isEnd)) return;
        text.Append(isFirst || isEnd ? "\n" : ",\n").Append(' ', depth * 2);
    }

    private static void Write(StringBuilder text, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                text.Append('{');
                break;
            case JsonTokenType.EndObject:
                text.Append('}');
                break;
            case JsonTokenType.StartArray:
                text.Append('[');
                break;
            case JsonTokenType.EndArray:
                text.Append(']');
                break;
            case JsonTokenType.PropertyName:
                text.Append('"').Append(Encoding.UTF8.GetString(reader.ValueSpan)).Append("\": ");
                break;
            case JsonTokenType.String:
                text.Append('"').Append(Encoding.UTF8.GetString(reader.ValueSpan)).Append('"');
                break;
            default:
                text.Append(Encoding.UTF8.GetString(reader.ValueSpan));
                break;
        }
    }
}
