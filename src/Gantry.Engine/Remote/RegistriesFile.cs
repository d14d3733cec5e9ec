using System.Text.Json;

namespace Gantry.Engine.Remote;

/// <summary>How one registry is reached.</summary>
/// <param name="Mirrors">Asked first, in order, for manifests and blobs; never for a push or a list.</param>
/// <param name="PlainHttp">HTTP without TLS.</param>
/// <param name="Ca">A file of PEM certificates to trust for this host, beside the system's.</param>
/// <param name="SkipVerify">This host's certificate is not looked at.</param>
public sealed record RegistrySettings(
    IReadOnlyList<RegistryMirror> Mirrors, bool PlainHttp = false, string? Ca = null, bool SkipVerify = false)
{
    public static RegistrySettings Default { get; } = new([]);
}

/// <summary>A registry that has another's content.</summary>
/// <param name="Host">Its own settings and credentials are those of this host.</param>
/// <param name="Prefix">Stands before the repository's name there: empty, or like <c>dockerhub/</c>.</param>
public sealed record RegistryMirror(string Host, string Prefix);

/// <summary>
/// Settings by host, from <c>registries.json</c>:
/// <code>{ "registries": { "docker.io": { "mirrors": ["mirror.corp:5000", "harbor.corp/dockerhub"] }, "mirror.corp:5000": { "ca": "/etc/corp.pem" } } }</code>
/// The user's file is read before the system's; what both say of a host, the user's says.
/// </summary>
public sealed class RegistriesFile
{
    private const int MaxBytes = 1 << 20;
    private readonly Dictionary<string, RegistrySettings> _hosts;

    private RegistriesFile(Dictionary<string, RegistrySettings> hosts) => _hosts = hosts;

    public static RegistriesFile Empty { get; } = new([]);

    /// <summary>Where it is looked for: below <c>$XDG_CONFIG_HOME</c> (or <c>~/.config</c>) and in <c>/etc</c>.</summary>
    public static IReadOnlyList<string> UsualPaths(Func<string, string?> environment)
    {
        var home = environment("XDG_CONFIG_HOME") is { Length: > 0 } given && Path.IsPathRooted(given) ? given
            : environment("HOME") is { Length: > 0 } user ? Path.Combine(user, ".config") : null;
        return home is null ? ["/etc/gantry/registries.json"] : [Path.Combine(home, "gantry", "registries.json"), "/etc/gantry/registries.json"];
    }

    /// <summary>Reads those that are there, the first one's word counting.</summary>
    /// <exception cref="EngineException"><see cref="EngineFault.Usage"/> names the file and the place where one is wrong.</exception>
    public static RegistriesFile Read(IEnumerable<string> paths)
    {
        var hosts = new Dictionary<string, RegistrySettings>(StringComparer.Ordinal);
        foreach (var path in paths.Where(File.Exists))
        {
            foreach (var (host, settings) in ReadOne(path)) hosts.TryAdd(host, settings);
        }

        return new RegistriesFile(hosts);
    }

    /// <summary>For callers that have their own configuration.</summary>
    public static RegistriesFile Of(IReadOnlyDictionary<string, RegistrySettings> hosts) => new(new(hosts, StringComparer.Ordinal));

    public RegistrySettings For(string host) => _hosts.GetValueOrDefault(host, RegistrySettings.Default);

    private static List<(string Host, RegistrySettings Settings)> ReadOne(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes) throw Wrong(path, $"is larger than {MaxBytes} bytes");
            using var json = JsonDocument.Parse(File.ReadAllBytes(path),
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false });
            var read = new List<(string, RegistrySettings)>();
            foreach (var top in Object(path, json.RootElement, "the file"))
            {
                if (top.Name != "registries") throw Wrong(path, $"knows no '{RemoteText.Shown(top.Name, 60)}', only registries");
                foreach (var entry in Object(path, top.Value, "registries"))
                {
                    if (!ImageName.TryParseHost(entry.Name, out var host)) throw Wrong(path, $"has '{RemoteText.Shown(entry.Name, 60)}', which is not a registry's host");
                    read.Add((host, Settings(path, host, entry.Value)));
                }
            }

            return read;
        }
        catch (JsonException broken)
        {
            throw new EngineException(EngineFault.Usage, $"{path} is not JSON, at line {broken.LineNumber + 1}", broken);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new EngineException(EngineFault.Local, $"{path} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static RegistrySettings Settings(string path, string host, JsonElement value)
    {
        var settings = RegistrySettings.Default;
        foreach (var field in Object(path, value, host))
        {
            settings = (field.Name, field.Value.ValueKind) switch
            {
                ("mirrors", JsonValueKind.Array) => settings with { Mirrors = [.. field.Value.EnumerateArray().Select(item => Mirror(path, host, item))] },
                ("plainHttp", JsonValueKind.True or JsonValueKind.False) => settings with { PlainHttp = field.Value.GetBoolean() },
                ("skipVerify", JsonValueKind.True or JsonValueKind.False) => settings with { SkipVerify = field.Value.GetBoolean() },
                ("ca", JsonValueKind.String) => settings with { Ca = Path.Combine(Path.GetDirectoryName(path)!, field.Value.GetString()!) },
                _ => throw Wrong(path, $"has a '{RemoteText.Shown(field.Name, 60)}' for {host} that is unknown or of the wrong kind; there are mirrors, plainHttp, ca and skipVerify"),
            };
        }

        return settings;
    }

    private static RegistryMirror Mirror(string path, string host, JsonElement item)
    {
        var text = item.ValueKind == JsonValueKind.String ? item.GetString()! : "";
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var prefix = slash < 0 ? "" : text[(slash + 1)..].TrimEnd('/');
        return ImageName.TryParseHost(slash < 0 ? text : text[..slash], out var mirror) && (prefix.Length == 0 || Oci.RepositoryName.TryParse(prefix, out _))
            ? new RegistryMirror(mirror, prefix.Length == 0 ? "" : prefix + "/")
            : throw Wrong(path, $"has '{RemoteText.Shown(text, 100)}' as mirror of {host}; one is written like mirror.corp:5000 or harbor.corp/dockerhub");
    }

    private static JsonElement.ObjectEnumerator Object(string path, JsonElement value, string what) =>
        value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw Wrong(path, $"must have an object for {what}");

    private static EngineException Wrong(string path, string what) => new(EngineFault.Usage, $"{path} {what}");
}
