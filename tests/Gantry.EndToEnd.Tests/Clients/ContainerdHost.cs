using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>A containerd of this run, with its root, state and socket in the client's folder.</summary>
internal sealed class ContainerdHost : IAsyncDisposable
{
    private readonly Daemon process;

    private ContainerdHost(Daemon daemon, string socket)
    {
        process = daemon;
        Socket = socket;
    }

    public string Socket { get; }

    public static async Task<ContainerdHost> StartAsync(ClientHome home)
    {
        var folder = home.At("c");
        Directory.CreateDirectory(folder);
        var socket = Path.Combine(folder, "s");
        var config = Path.Combine(folder, "config.toml");
        await File.WriteAllTextAsync(config, $"""
            version = 2
            root = "{folder}/root"
            state = "{folder}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
            [grpc]
            address = "{socket}"
            """);
        var daemon = Daemon.Start(new Command("containerd", "--config", config) { Environment = home.Environment },
            Path.Combine(folder, "log"));
        var ctr = new Command("ctr", "--address", socket);
        await daemon.UntilAsync(async () => (await ctr.TryAsync("version")).ExitCode == 0, TimeSpan.FromSeconds(30));
        return new ContainerdHost(daemon, socket);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
