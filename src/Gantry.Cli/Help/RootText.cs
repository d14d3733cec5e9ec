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

    public static readonly IReadOnlyList<(string Name, string Meaning)> Files =
    [
        ("/var/lib/gantry", "The store of root; otherwise $XDG_DATA_HOME/gantry or ~/.local/share/gantry."),
        ("$GANTRY_ROOT", "The store, where --root does not say."),
        ("~/.docker/config.json", "Credentials ($DOCKER_CONFIG); then podman's auth.json. $REGISTRY_AUTH_FILE or --authfile stand instead of them."),
        ("registries.json", "Mirrors, certificates and plain HTTP by registry, in ~/.config/gantry and /etc/gantry."),
    ];
}
