namespace Gantry.Cli.Help;

/// <summary>What the page of <c>gantry</c> itself has beside its commands.</summary>
internal static class RootText
{
    public const string Details = """
        gantry fetches images from any registry that speaks the OCI distribution API, verifies every byte, keeps them in a store of its own and unpacks them into something that a
        container runtime can start. It needs no daemon, and any number of gantry processes may use one store.

        Results go to standard output, all that is said on the way to standard error. 'gantry COMMAND --help' shows a command's page; 'gantry completion bash' and its like make the
        shell complete commands, options and image names.
        """;

    public static readonly IReadOnlyList<(string Line, string Meaning)> Examples =
    [
        ("gantry pull debian:12", "fetch an image"),
        ("gantry run --rm -it debian:12 bash", "and look around in it"),
        ("gantry copy debian:12 localhost:5000/debian:12", "into a registry of one's own"),
    ];

    public const string Status = "0 after success, otherwise a number for each kind of failure: 'gantry --help' lists them. 130 after Ctrl-C.";

    public const string RunStatus = "The container's own; 128 and the signal's number where one ended it; 125 where gantry or the runtime failed, 126 where the command cannot be executed, "
        + "127 where there is none of that name.";

    public static readonly IReadOnlyList<(string Name, string Meaning)> Environment =
    [
        ("GANTRY_ROOT", "The store, where --root does not say."),
        ("DOCKER_CONFIG", "Folder of docker's config.json, with credentials."),
        ("REGISTRY_AUTH_FILE", "File of credentials instead of all others, where --authfile does not say."),
        ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies on the way to registries."),
        ("TMPDIR", "Where archives go that come compressed or through a pipe. Default: /tmp."),
    ];

    public static readonly IReadOnlyList<(string Name, string Meaning)> Files =
    [
        ("/var/lib/gantry", "The store of root; otherwise $XDG_DATA_HOME/gantry or ~/.local/share/gantry."),
        ("~/.docker/config.json", "Credentials and credential helpers; then podman's, $XDG_RUNTIME_DIR/containers/auth.json."),
        ("registries.json", "Mirrors, certificates and plain HTTP by registry, in $XDG_CONFIG_HOME/gantry (~/.config/gantry) and /etc/gantry."),
    ];

    private static readonly string[][] Families =
    [
        ["pull", "images", "rmi", "prune", "settle"],
        ["inspect", "history", "tags"],
        ["run", "bundle", "unpack", "export", "pull"],
        ["save", "load", "push", "copy"],
        ["login", "logout"],
        ["completion", "images"],
    ];

    /// <summary>Commands for the next thing that one wants to do.</summary>
    public static IEnumerable<string> Related(string command) => Families.Where(family => family.Contains(command)).SelectMany(family => family).Where(name => name != command).Distinct();
}
