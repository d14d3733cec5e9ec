using System.Text.Json;

namespace Gantry.Engine.Remote;

/// <summary>Makes sentences out of a registry's refusals: who was asked for what, the status, the registry's own code and message.</summary>
internal static class RemoteErrors
{
    /// <param name="host">Who answered.</param>
    /// <param name="what">What was asked for: <c>the tag latest of library/debian</c>.</param>
    /// <param name="known">Whether it was sent a credential.</param>
    public static EngineException Of(string host, string what, int status, byte[] body, bool known, Func<string, string> redact)
    {
        var said = Said(body, redact);
        return status switch
        {
            404 => new EngineException(EngineFault.NotFound, $"{host} does not have {what}{said}"),
            401 when !known => new EngineException(EngineFault.Denied, $"{host} wants a login for {what}{said}"),
            401 or 403 => new EngineException(EngineFault.Denied, $"{host} does not grant {what}{said}"),
            413 => new EngineException(EngineFault.TooLarge, $"{host} takes nothing as large as {what}{said}"),
            405 or 501 => new EngineException(EngineFault.Unsupported, $"{host} does not do that with {what}{said}"),
            >= 300 and < 400 => new EngineException(EngineFault.Refused, $"{host} answers with a redirect ({status}) that is not followed, for {what}"),
            _ => new EngineException(EngineFault.Network, $"{host} answers {status} for {what}{said}"),
        };
    }

    /// <summary><c>: CODE: message</c> of the first errors of an envelope (distribution-spec, "Error Codes"); empty where it is none.</summary>
    public static string Said(byte[] body, Func<string, string> redact)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("errors", out var errors)
                || errors.ValueKind != JsonValueKind.Array)
            {
                return "";
            }

            var texts = errors.EnumerateArray().Take(4).Where(error => error.ValueKind == JsonValueKind.Object)
                .Select(error => string.Join(": ", new[] { Text(error, "code"), Text(error, "message"), Text(error, "detail") }.OfType<string>()));
            var all = string.Join("; ", texts.Where(text => text.Length > 0));
            return all.Length == 0 ? "" : ": " + RemoteText.Shown(redact(all));
        }
        catch (Exception none) when (none is JsonException or InvalidOperationException)
        {
            return "";
        }
    }

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
