using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>
/// An image's configuration (image-spec, "OCI Image Configuration"), read strictly: no text holds a NUL, every list is there (empty where the document has none).
/// </summary>
public sealed record ImageConfig
{
    /// <summary>What it runs on, normalised; null where it does not say.</summary>
    public ImagePlatform? Platform { get; init; }

    public IReadOnlyList<string> OsFeatures { get; init; } = [];

    /// <summary>Null where it is absent or no time.</summary>
    public DateTimeOffset? Created { get; init; }

    public string? Author { get; init; }

    /// <summary>Of each layer uncompressed, bottom first.</summary>
    public required IReadOnlyList<Digest> DiffIds { get; init; }

    public IReadOnlyList<ImageHistory> History { get; init; } = [];

    /// <summary>How the image wants to be run.</summary>
    public ImageExecution Execution { get; init; } = new();
}

/// <summary>The <c>config</c> object: what a runtime bundle is made of.</summary>
public sealed record ImageExecution
{
    /// <summary><c>user[:group]</c> as it stands there. Who uses it decides what is a number and what a name.</summary>
    public string User { get; init; } = "";

    public string WorkingDir { get; init; } = "";

    public IReadOnlyList<string> Entrypoint { get; init; } = [];

    public IReadOnlyList<string> Cmd { get; init; } = [];

    /// <summary><c>NAME=value</c>, each with a name and an equals sign; what had none was left out.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary><c>80/tcp</c>, <c>53/udp</c>, <c>80</c>, in the document's order.</summary>
    public IReadOnlyList<string> ExposedPorts { get; init; } = [];

    /// <summary>Paths as they stand there, in the document's order: not checked, not normalised.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = [];

    public string? StopSignal { get; init; }
}

/// <summary>How one layer, or no layer, came to be.</summary>
/// <param name="Created">Null where it is absent or no time.</param>
/// <param name="CreatedBy">The command.</param>
/// <param name="IsEmptyLayer">It made no layer and has no diffID.</param>
public sealed record ImageHistory(DateTimeOffset? Created, string CreatedBy, string Author, string Comment, bool IsEmptyLayer);
