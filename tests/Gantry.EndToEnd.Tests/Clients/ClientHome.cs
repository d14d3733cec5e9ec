using System.Text;
using System.Text.Json;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>
/// The folders and configuration that keep the clients off the machine's own: home, credentials, plain HTTP for
/// the registries under test, no signature policy.
/// </summary>
internal sealed class ClientHome
{
    public ClientHome(string folder)
    {
        Folder = folder;
        foreach (var name in (string[])["home/.config/containers", "run", "docker", "tmp"])
            Directory.CreateDirectory(At(name));
        File.WriteAllText(At("home/.config/containers/policy.json"), """{"default":[{"type":"insecureAcceptAnything"}]}""");
        File.WriteAllText(RegistriesFile, "unqualified-search-registries = []\n");
        WriteCredentials(AuthFile);
    }

    public string Folder { get; }

    /// <summary>What `docker login` and `podman login` write; empty at first.</summary>
    public string AuthFile => At("docker/config.json");

    // Where all of containers' tools look first; only some read the variable.
    private string RegistriesFile => At("home/.config/containers/registries.conf");

    public Dictionary<string, string> Environment => new()
    {
        ["HOME"] = At("home"),
        ["TMPDIR"] = At("tmp"),
        ["XDG_RUNTIME_DIR"] = At("run"),
        ["XDG_CONFIG_HOME"] = At("home/.config"),
        ["XDG_DATA_HOME"] = At("home/.local"),
        ["DOCKER_CONFIG"] = At("docker"),
        ["REGISTRY_AUTH_FILE"] = AuthFile,
        ["BUILDAH_ISOLATION"] = "chroot",
    };

    public string At(string path) => Path.Combine(Folder, path);

    /// <summary>Plain HTTP for a registry, in every client that reads a file for it.</summary>
    public void Trust(string host) =>
        File.AppendAllText(RegistriesFile, $"[[registry]]\nlocation = \"{host}\"\ninsecure = true\n");

    /// <summary>An auth file of its own, for a client that has other credentials or none.</summary>
    public static void WriteCredentials(string file, params (string Host, string User, string Password)[] entries)
    {
        var auths = entries.ToDictionary(
            entry => entry.Host,
            entry => new { auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{entry.User}:{entry.Password}")) });
        File.WriteAllText(file, JsonSerializer.Serialize(new { auths }));
    }
}
