using System.Text.Json.Serialization;

namespace Gantry.Engine.Bundles;

/// <summary>A bundle's <c>config.json</c> (runtime-spec 1.0, "Configuration"): the fields that are written, under the specification's names.</summary>
internal sealed record RuntimeSpec
{
    public string OciVersion { get; init; } = "1.0.2";

    public required SpecProcess Process { get; init; }

    public SpecRoot Root { get; init; } = new("rootfs", false);

    public string? Hostname { get; init; }

    public required IReadOnlyList<SpecMount> Mounts { get; init; }

    public required IReadOnlyDictionary<string, string> Annotations { get; init; }

    public required SpecLinux Linux { get; init; }
}

internal sealed record SpecProcess
{
    public bool Terminal { get; init; }

    public required SpecUser User { get; init; }

    public required IReadOnlyList<string> Args { get; init; }

    public required IReadOnlyList<string> Env { get; init; }

    public required string Cwd { get; init; }

    public required SpecCapabilities Capabilities { get; init; }

    public required IReadOnlyList<SpecLimit> Rlimits { get; init; }

    public bool NoNewPrivileges { get; init; }
}

internal sealed record SpecUser(uint Uid, uint Gid, IReadOnlyList<uint> AdditionalGids);

/// <summary>Inheritable stays empty: what a program inherits without asking is how containers used to leak privileges (CVE-2022-24769).</summary>
internal sealed record SpecCapabilities(IReadOnlyList<string> Bounding, IReadOnlyList<string> Effective, IReadOnlyList<string> Permitted)
{
    public IReadOnlyList<string> Inheritable { get; } = [];
}

internal sealed record SpecLimit(string Type, ulong Hard, ulong Soft);

internal sealed record SpecRoot(string Path, bool Readonly);

internal sealed record SpecMount(string Destination, string Type, string Source, IReadOnlyList<string> Options);

internal sealed record SpecLinux
{
    public IReadOnlyList<SpecMapping>? UidMappings { get; init; }

    public IReadOnlyList<SpecMapping>? GidMappings { get; init; }

    public required IReadOnlyList<SpecNamespace> Namespaces { get; init; }

    public SpecResources? Resources { get; init; }

    public required IReadOnlyList<string> MaskedPaths { get; init; }

    public required IReadOnlyList<string> ReadonlyPaths { get; init; }
}

internal sealed record SpecMapping([property: JsonPropertyName("containerID")] uint ContainerId, [property: JsonPropertyName("hostID")] uint HostId, uint Size);

internal sealed record SpecNamespace(string Type);

internal sealed record SpecResources(IReadOnlyList<SpecDeviceRule> Devices);

internal sealed record SpecDeviceRule(bool Allow, string Access);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(RuntimeSpec))]
internal sealed partial class RuntimeSpecJson : JsonSerializerContext;
