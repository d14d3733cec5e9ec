using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gantry.Oci;
using static Gantry.Engine.Images.StrictJson;

namespace Gantry.Engine.Images;

/// <summary>Reads a config blob, trusting nothing of it. Its size is bounded by <see cref="MaxBytes"/> before it is fetched.</summary>
public static class ImageConfigReader
{
    /// <summary>As for manifests; real ones have a few kilobytes.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>An environment that no process could be started with (execve takes 128 KiB a string, 2 MiB in all on most systems) is not read.</summary>
    private const int MaxEnvironmentBytes = 1024 * 1024;

    private static readonly FrozenSet<string> RootNames = Names("created", "author", "architecture", "variant", "os", "os.version", "os.features",
        "config", "rootfs", "history");

    private static readonly FrozenSet<string> RootFsNames = Names("type", "diff_ids");
    private static readonly FrozenSet<string> HistoryNames = Names("created", "created_by", "author", "comment", "empty_layer");

    private static readonly FrozenSet<string> ExecutionNames = Names("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal");

    /// <exception cref="EngineException">InvalidDocument, TooLarge.</exception>
    public static ImageConfig Read(ReadOnlyMemory<byte> content)
    {
        RequireSize(content.Length);
        return StrictJson.Read(content, "the config", Read);
    }

    /// <summary>To be asked before the config is fetched.</summary>
    public static void RequireSize(long size)
    {
        if (size > MaxBytes) throw new EngineException(EngineFault.TooLarge, $"the config has {size} bytes, the limit is {MaxBytes}");
    }

    private static ImageConfig Read(JsonElement root)
    {
        var fields = Fields(root, "config", RootNames);
        var platform = new Platform(fields.Text("os", "config") ?? "", fields.Text("architecture", "config") ?? "",
            fields.Text("variant", "config"), fields.Text("os.version", "config"));
        fields.TryGetValue("config", out var execution);
        return new ImageConfig
        {
            Platform = ImagePlatform.Of(platform),
            OsFeatures = fields.Texts("os.features", "config"),
            Created = Time(fields),
            Author = fields.Text("author", "config"),
            DiffIds = ReadDiffIds(fields),
            History = fields.Items("history", "config").Select(ReadHistory).ToList(),
            Execution = ReadExecution(execution),
        };
    }

    private static List<Digest> ReadDiffIds(Dictionary<string, JsonElement> root)
    {
        if (!root.TryGetValue("rootfs", out var rootfs)) throw Invalid("config.rootfs: missing");
        var fields = Fields(rootfs, "config.rootfs", RootFsNames);
        if (fields.Text("type", "config.rootfs") != "layers") throw Invalid("config.rootfs.type: must be \"layers\"");
        if (fields.TryGetValue("diff_ids", out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > ImageDocument.MaxLayers)
            throw new EngineException(EngineFault.TooLarge, $"config.rootfs.diff_ids: more than {ImageDocument.MaxLayers}");
        return fields.Texts("diff_ids", "config.rootfs").Select(text => Digest.TryParse(text, out var digest)
            ? digest
            : throw Invalid($"config.rootfs.diff_ids: not a digest of a known algorithm: {Shown(text)}")).ToList();
    }

    private static ImageHistory ReadHistory(JsonElement entry, int number)
    {
        var path = $"config.history[{number}]";
        var fields = Fields(entry, path, HistoryNames);
        var isEmpty = fields.TryGetValue("empty_layer", out var empty) && empty.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Invalid($"{path}.empty_layer: not a truth value"),
        };
        return new ImageHistory(Time(fields), fields.Text("created_by", path) ?? "", fields.Text("author", path) ?? "", fields.Text("comment", path) ?? "", isEmpty);
    }

    private static ImageExecution ReadExecution(JsonElement element)
    {
        const string path = "config.config";
        var fields = Fields(element, path, ExecutionNames);
        var environment = fields.Texts("Env", path);
        if (environment.Sum(entry => (long)Encoding.UTF8.GetByteCount(entry)) > MaxEnvironmentBytes)
            throw new EngineException(EngineFault.TooLarge, $"{path}.Env: more than {MaxEnvironmentBytes} bytes");
        return new ImageExecution
        {
            User = fields.Text("User", path) ?? "",
            WorkingDir = fields.Text("WorkingDir", path) ?? "",
            Entrypoint = fields.Texts("Entrypoint", path),
            Cmd = fields.Texts("Cmd", path),
            Env = environment.Where(entry => entry.IndexOf('=', StringComparison.Ordinal) > 0).ToList(),
            Labels = Members(fields, "Labels", path).ToDictionary(label => label.Name,
                label => label.Value.ValueKind == JsonValueKind.Null ? "" : Text(label.Value, $"{path}.Labels"), StringComparer.Ordinal),
            ExposedPorts = Members(fields, "ExposedPorts", path).Select(port => Name(port, path)).ToList(),
            Volumes = Members(fields, "Volumes", path).Select(volume => Name(volume, path)).ToList(),
            StopSignal = fields.Text("StopSignal", path) is { Length: > 0 } signal ? signal : null,
        };
    }

    private static IEnumerable<JsonProperty> Members(Dictionary<string, JsonElement> fields, string name, string path)
    {
        if (!fields.TryGetValue(name, out var value)) return [];
        return value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw Invalid($"{path}.{name}: not an object");
    }

    private static string Name(JsonProperty member, string path) =>
        member.Name.Contains('\0', StringComparison.Ordinal) ? throw Invalid($"{path}: a name holds a NUL") : member.Name;

    /// <summary>Decoration: nothing depends on it, so an image with a broken one is not refused.</summary>
    private static DateTimeOffset? Time(Dictionary<string, JsonElement> fields) =>
        fields.TryGetValue("created", out var value) && value.ValueKind == JsonValueKind.String
        && DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
