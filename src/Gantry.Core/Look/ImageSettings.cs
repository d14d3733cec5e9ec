using System.IO.Pipelines;
using System.Text.Json;
using Gantry.Core.Pull;
using Gantry.Oci;

namespace Gantry.Core.Look;

/// <summary>
/// What an image's config says of how it is run (image-spec, "OCI Image Configuration", <c>config</c>), for people to compare: texts as they stand there, what is of another
/// shape left out.
/// </summary>
public sealed record ImageSettings
{
    /// <summary>As for manifests; real ones have a few kilobytes.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    private const int MaxDepth = 32, MaxItems = 10_000;

    private static readonly string[] PlatformNames = ["os", "architecture", "variant"];

    private ImageSettings(SortedDictionary<string, string> values) => Values = values;

    /// <summary>
    /// By what they are about: <c>user</c>, <c>workdir</c>, <c>entrypoint</c>, <c>cmd</c>, <c>stop-signal</c>, <c>platform</c>, and for each of its own <c>env/NAME</c>,
    /// <c>label/NAME</c>, <c>port/NUMBER</c>, <c>volume/PATH</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    /// <summary>Nothing at all for what is no config.</summary>
    public static ImageSettings Read(ReadOnlyMemory<byte> config)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(config, new JsonDocumentOptions { MaxDepth = MaxDepth });
            ReadInto(values, document.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // Not JSON, or half a surrogate pair in it: a config that no client can read either.
            values.Clear();
        }

        return new ImageSettings(values);
    }

    internal static async Task<ImageSettings> ReadAsync(BlobPull pull, LookedImage image, CancellationToken cancellationToken)
    {
        if (image.Document?.Config?.Digest is not { } digest || await pull.FindAsync(image.Repository, digest, renew: false, cancellationToken) is not { Size: <= MaxBytes } blob)
            return Read(default);
        await using var reader = await pull.OpenAsync(blob, null, cancellationToken);
        using var bytes = new MemoryStream((int)blob.Size);
        var pipe = PipeWriter.Create(bytes, new StreamPipeWriterOptions(leaveOpen: true));
        await reader.CopyToAsync(pipe, 0, reader.Length, cancellationToken);
        await pipe.CompleteAsync();
        return Read(bytes.ToArray());
    }

    private static void ReadInto(SortedDictionary<string, string> values, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return;
        var platform = string.Join('/', PlatformNames.Select(name => Text(root, name)).Where(text => text is { Length: > 0 }));
        if (platform.Length > 0) values["platform"] = platform;
        if (!root.TryGetProperty("config", out var config) || config.ValueKind != JsonValueKind.Object) return;
        foreach (var (name, key) in new[] { ("User", "user"), ("WorkingDir", "workdir"), ("StopSignal", "stop-signal") })
        {
            if (Text(config, name) is { Length: > 0 } text) values[key] = text;
        }

        foreach (var (name, key) in new[] { ("Entrypoint", "entrypoint"), ("Cmd", "cmd") })
        {
            if (config.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array) values[key] = JsonSerializer.Serialize(list);
        }

        foreach (var variable in Items(config, "Env"))
        {
            if (variable.ValueKind != JsonValueKind.String || variable.GetString()!.Split('=', 2) is not [{ Length: > 0 } name, var value]) continue;
            values[$"env/{name}"] = value;
        }

        foreach (var (name, key) in new[] { ("Labels", "label"), ("ExposedPorts", "port"), ("Volumes", "volume") })
        {
            if (!config.TryGetProperty(name, out var members) || members.ValueKind != JsonValueKind.Object) continue;
            foreach (var member in members.EnumerateObject().Take(MaxItems))
                values[$"{key}/{member.Name}"] = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : "";
        }
    }

    private static IEnumerable<JsonElement> Items(JsonElement config, string name) =>
        config.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Take(MaxItems) : [];

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
