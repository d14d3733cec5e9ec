namespace Gantry.Engine.Bundles;

/// <summary>
/// The environment of a container's first process: the image's, what the runner adds, and where neither says PATH, HOME, HOSTNAME or TERM, those. Nothing that
/// is said is overridden, an empty HOME is one.
/// </summary>
internal static class ProcessEnvironment
{
    public static List<string> Of(IReadOnlyList<string> image, BundleOptions options, ContainerUser user)
    {
        var order = new List<string>();
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in image.Concat(options.Environment))
        {
            // Without a name, or with a NUL, no process could be started with it.
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && !entry.Contains('\0', StringComparison.Ordinal)) Set(entry[..equals], entry[(equals + 1)..], isDefault: false);
        }

        Set("PATH", LinuxDefaults.Path, isDefault: true);
        Set("HOME", user.Home ?? "/", isDefault: true);
        if (options.HostName is { } host) Set("HOSTNAME", host, isDefault: true);
        if (options.Terminal) Set("TERM", "xterm", isDefault: true);
        return order.ConvertAll(name => $"{name}={values[name]}");

        void Set(string name, string value, bool isDefault)
        {
            if (values.TryAdd(name, value)) order.Add(name);
            else if (!isDefault) values[name] = value;
        }
    }
}
