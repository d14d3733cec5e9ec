namespace Gantry.Engine.Bundles;

/// <summary>Which network a container sees.</summary>
public enum BundleNetwork
{
    /// <summary>One of its own with a loopback device alone.</summary>
    None,

    /// <summary>The machine's.</summary>
    Host,
}

/// <summary>Which of an image's labels become annotations of the bundle.</summary>
public enum BundleLabels
{
    /// <summary>All but those that a runtime takes for instructions (<see cref="LabelAnnotations"/>).</summary>
    Safe,

    None,

    All,
}

/// <summary>A folder or file of the machine shown in the container.</summary>
/// <param name="Source">Absolute.</param>
/// <param name="Target">Absolute, in the container.</param>
public sealed record BundleVolume(string Source, string Target, bool IsReadOnly = false);

/// <summary>What whoever runs an image wants other than the image says. The defaults leave everything to the image.</summary>
public sealed record BundleOptions
{
    /// <summary>Instead of the image's Cmd. Null: the image's.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Instead of the image's Entrypoint; its Cmd is then dropped too, as docker does. An empty text means none at all.</summary>
    public string? Entrypoint { get; init; }

    /// <summary><c>NAME=value</c>, over the image's; of two for one name the last counts.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Null: the image's.</summary>
    public string? User { get; init; }

    public string? WorkingDirectory { get; init; }

    public IReadOnlyList<BundleVolume> Volumes { get; init; } = [];

    public BundleNetwork Network { get; init; }

    public BundleLabels Labels { get; init; }

    public bool Terminal { get; init; }

    public string? HostName { get; init; }

    /// <summary>Lets set-uid programs gain privileges.</summary>
    public bool NewPrivileges { get; init; }

    public bool ReadOnly { get; init; }

    /// <summary>For a caller who is not root: a user namespace in which he is, without the mounts that need more.</summary>
    public RootlessOwner? Rootless { get; init; }
}

/// <summary>Who is root in the container's user namespace.</summary>
public sealed record RootlessOwner(uint Uid, uint Gid);
