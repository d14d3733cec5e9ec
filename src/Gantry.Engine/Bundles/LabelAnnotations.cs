using Gantry.Engine.Images;

namespace Gantry.Engine.Bundles;

/// <summary>
/// An image's words as annotations of its bundle (image-spec, "Conversion to OCI Runtime Configuration"). The specification wants every label to become one; but
/// runtimes and what surrounds them take some annotations for instructions of the machine's owner, which an image must not give (CVE-2026-53488). Those are left out.
/// </summary>
internal static class LabelAnnotations
{
    private const string Image = "org.opencontainers.image.";

    /// <summary>Read by crun, runc, CRI-O, containerd, podman, kata, gVisor, CDI and the device plug-ins.</summary>
    private static readonly string[] Reserved =
    [
        "run.oci.", "org.systemd.property.", "org.criu.", "io.kubernetes.", "io.cri-o.", "io.containerd.", "io.podman.", "io.container.", "io.containers.",
        "io.katacontainers.", "dev.gvisor.", "cdi.k8s.io/", "module.wasm.", "run.", "vnd.", "com.nvidia.", "nvidia.", "org.opencontainers.runtime.", "com.docker.",
        "security.", "seccomp.", "apparmor.",
    ];

    public static SortedDictionary<string, string> Of(ImageConfig config, BundleLabels labels)
    {
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add("os", config.Platform?.Os);
        Add("architecture", config.Platform?.Architecture);
        Add("variant", config.Platform?.Variant);
        Add("os.version", config.Platform?.OsVersion);
        Add("os.features", string.Join(',', config.OsFeatures));
        Add("author", config.Author);
        Add("created", config.Created?.ToString("yyyy-MM-dd'T'HH:mm:ssK"));
        Add("stopSignal", config.Execution.StopSignal);
        Add("exposedPorts", string.Join(',', config.Execution.ExposedPorts));

        if (labels == BundleLabels.None) return annotations;
        foreach (var (name, value) in config.Execution.Labels)
        {
            if (name.Length > 0 && (labels == BundleLabels.All || !IsReserved(name))) annotations[name] = value;
        }

        return annotations;

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value)) annotations[Image + name] = value;
        }
    }

    private static bool IsReserved(string name) => Array.Exists(Reserved, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
