using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gantry.Server.Ui;

/// <summary>A delivery's body for people: the same JSON, line by line.</summary>
internal static class DeliveryText
{
    /// <summary>Characters that are shown; the API has all of it.</summary>
    private const int Most = 64 * 1024;

    // It is text on the page, encoded there as all text is.
    private static readonly JsonSerializerOptions Lines = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(string body)
    {
        using var json = JsonDocument.Parse(body);
        return Cut.To(JsonSerializer.Serialize(json.RootElement, Lines), Most);
    }
}
