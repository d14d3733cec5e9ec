using System.Text.RegularExpressions;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>docker with a dockerd of this run: no bridge, no firewall rules, everything in the client's folder.</summary>
internal sealed partial class DockerClient : IImageClient
{
    // A newer docker that a machine has besides Debian's wants the buildx plugin for every build.
    private static readonly string Program = File.Exists("/usr/bin/docker") ? "/usr/bin/docker" : "docker";
    private readonly Daemon process;
    private readonly ClientHome home;

    private DockerClient(Daemon process, Command docker, ClientHome home)
    {
        this.process = process;
        this.home = home;
        Docker = docker;
    }

    public Command Docker { get; }

    public string Version { get; private set; } = "";

    private string Socket => $"unix://{home.At("d/s")}";

    public static async Task<DockerClient> StartAsync(ClientHome home, ContainerdHost containerd)
    {
        var folder = home.At("d");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync($"{folder}/daemon.json", "{}"); // the machine's own is not read
        var daemon = Daemon.Start(new Command("dockerd") { Environment = home.Environment }, Path.Combine(folder, "log"),
            "--data-root", $"{folder}/data", "--exec-root", $"{folder}/exec", "-p", $"{folder}/pid", "-H", $"unix://{folder}/s",
            "--config-file", $"{folder}/daemon.json", "--containerd", containerd.Socket, "--insecure-registry", "127.0.0.0/8",
            "--bridge", "none", "--iptables=false", "--ip6tables=false");
        var docker = new Command(Program) { Environment = new(home.Environment) { ["DOCKER_HOST"] = $"unix://{folder}/s" } };
        var client = new DockerClient(daemon, docker, home);
        await daemon.UntilAsync(async () => (await docker.TryAsync("version")).ExitCode == 0, TimeSpan.FromSeconds(60));
        client.Version = "docker " + (await docker.RunAsync("version", "--format",
            "{{.Client.Version}}, dockerd {{.Server.Version}}")).Output.Trim();
        return client;
    }

    /// <summary>The same daemon through another client configuration, to log in as somebody else or not at all.</summary>
    public Command With(string dockerConfig, params (string Name, string Value)[] variables)
    {
        var environment = new Dictionary<string, string>(Docker.Environment) { ["DOCKER_CONFIG"] = dockerConfig };
        foreach (var (name, value) in variables) environment[name] = value;
        return new Command(Program) { Environment = environment };
    }

    /// <summary>`docker login` into a configuration folder, and docker as whoever that is.</summary>
    public async Task<Command> LogInAsync(string dockerConfig, string host, Login login)
    {
        var docker = With(dockerConfig);
        (await docker.TryWithInputAsync(login.Secret, "login", "--username", login.User, "--password-stdin", host)).Succeeded();
        return docker;
    }

    public Task LoadAsync(ImageSet images, string name, string reference) =>
        new Command("skopeo") { Environment = home.Environment }
            .RunAsync("copy", "-q", "--dest-daemon-host", Socket, images.Layout(name), $"docker-daemon:{reference}");

    public async Task<string> PushAsync(string reference) => Digest(await Docker.RunAsync("push", reference));

    public async Task<string> PullAsync(string reference) => Digest(await Docker.RunAsync("pull", reference));

    public async Task<string> RunAsync(string reference, params string[] command) =>
        (await Docker.RunAsync(["run", "--rm", "--network", "none", "--pull", "never", reference, .. command])).Output;

    public async Task WipeAsync() => await Docker.RunAsync("system", "prune", "--all", "--force");

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        await new Command("umount").TryAsync("--lazy", home.At("d/exec/netns/default"));
    }

    /// <summary>The digest that a push or a pull says at its end.</summary>
    public static string Digest(CommandResult result) =>
        DigestLine().Match(result.Output) is { Success: true } match
            ? match.Groups["digest"].Value
            : throw new InvalidOperationException($"{result.Line} named no digest:\n{result.Text}");

    [GeneratedRegex("digest: (?<digest>sha256:[0-9a-f]{64})", RegexOptions.IgnoreCase)]
    private static partial Regex DigestLine();
}
