namespace Gantry.Engine.Bundles;

/// <summary>What a container gets of the kernel without being asked: docker's defaults, for images are made to run under them.</summary>
internal static class LinuxDefaults
{
    public static readonly string[] Capabilities =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
        "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ];

    public static readonly string[] MaskedPaths =
    [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/proc/scsi", "/proc/interrupts", "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    public static readonly string[] ReadOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    public const string Path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Order matters: what lies below another comes after it.</summary>
    public static List<SpecMount> Mounts(BundleOptions options)
    {
        List<SpecMount> mounts =
        [
            new("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
            new("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            new("/dev/pts", "devpts", "devpts", PseudoTerminals(options)),
            new("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            new("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
        ];

        // Of a user namespace that does not own its network no new sysfs can be mounted, nor a cgroup tree of one that was not delegated.
        if (options.Rootless is not null && options.Network == BundleNetwork.Host)
            mounts.Add(new SpecMount("/sys", "none", "/sys", ["rbind", "nosuid", "noexec", "nodev", "ro"]));
        else mounts.Add(new SpecMount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]));
        if (options.Rootless is null) mounts.Add(new SpecMount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"]));
        return mounts;
    }

    public static List<SpecNamespace> Namespaces(BundleOptions options)
    {
        List<SpecNamespace> namespaces = [new("pid"), new("ipc"), new("uts"), new("mount")];
        if (File.Exists("/proc/self/ns/cgroup")) namespaces.Add(new SpecNamespace("cgroup"));
        if (options.Network == BundleNetwork.None) namespaces.Add(new SpecNamespace("network"));
        if (options.Rootless is not null) namespaces.Add(new SpecNamespace("user"));
        return namespaces;
    }

    /// <summary>A caller who is not root has one group alone in there, and it is not tty's.</summary>
    private static string[] PseudoTerminals(BundleOptions options)
    {
        string[] common = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
        return options.Rootless is null ? [.. common, "gid=5"] : common;
    }
}
