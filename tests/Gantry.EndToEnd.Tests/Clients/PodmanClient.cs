using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

internal sealed class PodmanClient : ContainersStore
{
    private PodmanClient(ClientHome home, string version)
        : base(home, "podman", version,
            "--storage-driver", "overlay", "--tmpdir", home.At("podman/tmp"), "--events-backend", "file",
            "--cgroup-manager", "cgroupfs", "--runtime", "runc")
    {
    }

    public static async Task<PodmanClient> StartAsync(ClientHome home) =>
        new(home, (await new Command("podman").RunAsync("--version")).Output.Trim());

    // Without limits of its own podman asks for more than a restricted machine grants.
    public override async Task<string> RunAsync(string reference, params string[] command) =>
        (await Tool.RunAsync(["run", "--rm", "--network", "none", "--pull", "never",
            "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", reference, .. command])).Output;

    protected override async Task<string> DigestAsync(string reference) =>
        (await Tool.RunAsync("image", "inspect", "--format", "{{.Digest}}", reference)).Output.Trim();
}
