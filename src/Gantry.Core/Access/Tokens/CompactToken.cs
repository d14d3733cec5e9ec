using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Gantry.Core.Access;

/// <summary>
/// The two readable parts of a signed JSON Web Token (RFC 7515, 7.1), unverified. Stricter than the JWT library, which
/// reads the same text again: what passes here has one reading only.
/// </summary>
internal readonly record struct CompactToken(JsonElement Header, JsonElement Claims)
{
    /// <summary>Longer ones are refused unread.</summary>
    public const int MaxLength = 16 * 1024;

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    // A name that is there twice has one meaning for this reader and another for the next.
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>
    /// Null: too long, not three parts (five are an encrypted token: the library, which would try to decrypt it, never
    /// sees one, CVE-2024-21319), not base64url without padding and without bits that mean nothing, not JSON objects.
    /// </summary>
    public static CompactToken? Read(string token)
    {
        if (token.Length > MaxLength || token.AsSpan().Count('.') != 2 || token.AsSpan().ContainsAnyExcept(Alphabet)) return null;
        var parts = token.Split('.');
        return ReadObject(parts[0]) is { } header && ReadObject(parts[1]) is { } claims && Decode(parts[2]) is { Length: > 0 }
            ? new CompactToken(header, claims)
            : null;
    }

    /// <summary>Null: there is no such member, or it is no text.</summary>
    public static string? Text(JsonElement part, string name) =>
        part.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement? ReadObject(string part)
    {
        if (Decode(part) is not { } bytes || !IsText(bytes)) return null;
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // A document is parsed without its texts being read: one with broken UTF-8, or half a surrogate pair, would throw later,
    // where it is used.
    private static bool IsText(byte[] bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = Strict.MaxDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = reader.GetString();
            }

            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static byte[]? Decode(string part)
    {
        try
        {
            var bytes = Base64Url.DecodeFromChars(part);
            return Base64Url.EncodeToString(bytes) == part ? bytes : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
