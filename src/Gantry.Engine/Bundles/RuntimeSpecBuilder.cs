using Gantry.Engine.Images;

namespace Gantry.Engine.Bundles;

/// <summary>
/// Makes a runtime's configuration of an image's (image-spec, "Conversion to OCI Runtime Configuration") and of what its runner wants. The image's volumes are not
/// mounted: a container's root filesystem is its own and goes with it, and so does what is written to them.
/// </summary>
internal static class RuntimeSpecBuilder
{
    /// <summary>What services are written for; a program that needs more raises it itself.</summary>
    private const ulong SoftFiles = 1024, HardFiles = 524288;

    /// <exception cref="EngineException">Usage: there is nothing to run, or a path is none.</exception>
    public static RuntimeSpec Build(ImageConfig image, BundleOptions options, ContainerUser user)
    {
        var execution = image.Execution;
        return new RuntimeSpec
        {
            Process = new SpecProcess
            {
                Terminal = options.Terminal,
                User = new SpecUser(user.Uid, user.Gid, options.Rootless is null ? user.AdditionalGids : []),
                Args = Arguments(execution, options),
                Env = ProcessEnvironment.Of(execution.Env, options, user),
                Cwd = ContainerPath.Of(options.WorkingDirectory ?? execution.WorkingDir, "/"),
                Capabilities = Capabilities(user),
                Rlimits = [new SpecLimit("RLIMIT_NOFILE", HardLimit(), Math.Min(SoftFiles, HardLimit()))],
                NoNewPrivileges = !options.NewPrivileges,
            },
            Root = new SpecRoot("rootfs", options.ReadOnly),
            Hostname = options.HostName,
            Mounts = [.. LinuxDefaults.Mounts(options), .. options.Volumes.Select(Mount)],
            Annotations = LabelAnnotations.Of(image, options.Labels),
            Linux = new SpecLinux
            {
                UidMappings = options.Rootless is { } owner ? [new SpecMapping(0, owner.Uid, 1)] : null,
                GidMappings = options.Rootless is { } group ? [new SpecMapping(0, group.Gid, 1)] : null,
                Namespaces = LinuxDefaults.Namespaces(options),
                // The runtime adds the devices that every container has.
                Resources = options.Rootless is null ? new SpecResources([new SpecDeviceRule(false, "rwm")]) : null,
                MaskedPaths = LinuxDefaults.MaskedPaths,
                ReadonlyPaths = LinuxDefaults.ReadOnlyPaths,
            },
        };
    }

    private static List<string> Arguments(ImageExecution execution, BundleOptions options)
    {
        IReadOnlyList<string> entrypoint = options.Entrypoint is null ? execution.Entrypoint : options.Entrypoint.Length == 0 ? [] : [options.Entrypoint];
        var command = options.Command ?? (options.Entrypoint is null ? execution.Cmd : []);
        List<string> arguments = [.. entrypoint, .. command];
        return arguments.Count > 0 && arguments[0].Length > 0 ? arguments
            : throw new EngineException(EngineFault.Usage, "the image names no command to run: give one");
    }

    /// <summary>Who is not root has none until a program of the image gives him some, as execve has it.</summary>
    private static SpecCapabilities Capabilities(ContainerUser user) => user.Uid == 0
        ? new SpecCapabilities(LinuxDefaults.Capabilities, LinuxDefaults.Capabilities, LinuxDefaults.Capabilities)
        : new SpecCapabilities(LinuxDefaults.Capabilities, [], []);

    private static SpecMount Mount(BundleVolume volume)
    {
        if (!Path.IsPathRooted(volume.Source) || !volume.Target.StartsWith('/'))
            throw new EngineException(EngineFault.Usage, "a volume is SOURCE:TARGET, both absolute");
        return new SpecMount(ContainerPath.Of(volume.Target, "/"), "bind", volume.Source, ["rbind", "rprivate", volume.IsReadOnly ? "ro" : "rw"]);
    }

    /// <summary>A runtime that may not raise limits fails where it is told to.</summary>
    private static ulong HardLimit()
    {
        const string name = "Max open files";
        var line = File.ReadLines("/proc/self/limits").FirstOrDefault(text => text.StartsWith(name, StringComparison.Ordinal));
        var fields = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields is [_, var hard, ..] && ulong.TryParse(hard, out var limit) ? Math.Min(limit, HardFiles) : HardFiles;
    }
}
