using System.Text.Json;

namespace Gantry.Engine.Remote.Access;

/// <summary>What a token service gave: a bearer token, and how long it is good for.</summary>
internal sealed record TokenReply(string Token, TimeSpan Lifetime)
{
    public const int MaxBytes = 256 * 1024;

    /// <summary>A reply without <c>expires_in</c> means so much (docker's token specification).</summary>
    private const int DefaultSeconds = 60;

    /// <summary>Null where it is not such a reply; nothing of the bytes is ever shown, since they hold a secret.</summary>
    public static TokenReply? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            if (json.RootElement.ValueKind != JsonValueKind.Object) return null;

            var token = Text(json.RootElement, "token") ?? Text(json.RootElement, "access_token");
            if (token is null || !token.All(c => c is > ' ' and < '\x7f')) return null;

            // The service's clock and ours may differ: issued_at is not looked at, the time counts from now.
            var seconds = json.RootElement.TryGetProperty("expires_in", out var expires) && expires.ValueKind == JsonValueKind.Number
                && expires.TryGetDouble(out var given) && given > 0 ? Math.Min(given, 86400) : DefaultSeconds;
            return new TokenReply(token, TimeSpan.FromSeconds(seconds));
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
