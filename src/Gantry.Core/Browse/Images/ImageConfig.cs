namespace Gantry.Core.Browse;

/// <summary>
/// What an image's config says (image-spec, "OCI Image Configuration"), as far as it can be read: whoever pushed it wrote what they liked. Any
/// text may stand anywhere; every list is there, and has at most <see cref="ImageConfigReader.MostItems"/> entries.
/// </summary>
public sealed record ImageConfig
{
    public string? Os { get; init; }
    public string? Architecture { get; init; }
    public string? Variant { get; init; }
    public string? OsVersion { get; init; }
    public IReadOnlyList<string> OsFeatures { get; init; } = [];

    /// <summary>Null where it is absent, no time, or the zero of a clock that was not set.</summary>
    public DateTimeOffset? Created { get; init; }

    public string? Author { get; init; }
    public string? User { get; init; }
    public string? WorkingDir { get; init; }
    public string? StopSignal { get; init; }

    /// <summary>Seconds.</summary>
    public long? StopTimeout { get; init; }

    /// <summary>JSON as it stands there, without white space: <c>{"Test":["CMD-SHELL","true"],"Interval":30000000000}</c>, in nanoseconds.</summary>
    public string? Healthcheck { get; init; }

    /// <summary>What the shell form of commands is run by, in a build.</summary>
    public IReadOnlyList<string> Shell { get; init; } = [];

    /// <summary>Steps of a build that starts from the image.</summary>
    public IReadOnlyList<string> OnBuild { get; init; } = [];

    public IReadOnlyList<string> Entrypoint { get; init; } = [];
    public IReadOnlyList<string> Cmd { get; init; } = [];

    /// <summary><c>NAME=value</c>, as it stands there.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    public IReadOnlyList<string> ExposedPorts { get; init; } = [];
    public IReadOnlyList<string> Volumes { get; init; } = [];
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What else stands in <c>config</c> and says something, by its name, as JSON without white space.</summary>
    public IReadOnlyDictionary<string, string> Others { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>As it stands there: what should be digests of the layers uncompressed.</summary>
    public IReadOnlyList<string> DiffIds { get; init; } = [];

    public IReadOnlyList<ImageHistory> History { get; init; } = [];

    /// <summary><c>os/architecture[/variant]</c>; null where it does not say, or not in words that a listing can show.</summary>
    public string? Platform => PlatformText.Of(Os, Architecture, Variant);
}

/// <summary>One step of a build.</summary>
/// <param name="IsEmptyLayer">It made no layer.</param>
public sealed record ImageHistory(DateTimeOffset? Created, string? CreatedBy, string? Author, string? Comment, bool IsEmptyLayer);

internal static class PlatformText
{
    private const int MostCharacters = 64;

    public static string? Of(string? os, string? architecture, string? variant)
    {
        if (!IsWord(os) || !IsWord(architecture) || (os == "unknown" && architecture == "unknown")) return null;
        return IsWord(variant) ? $"{os}/{architecture}/{variant}" : $"{os}/{architecture}";
    }

    private static bool IsWord(string? text) =>
        text is { Length: > 0 and <= MostCharacters } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
