using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

internal sealed class BuildahClient : ContainersStore
{
    private BuildahClient(ClientHome home, string version)
        : base(home, "buildah", version, "--storage-driver", "overlay")
    {
    }

    public static async Task<BuildahClient> StartAsync(ClientHome home) =>
        new(home, (await new Command("buildah").RunAsync("--version")).Output.Trim());

    public override async Task<string> RunAsync(string reference, params string[] command)
    {
        var container = (await Tool.RunAsync("from", "--pull-never", reference)).Output.Trim();
        try
        {
            return (await Tool.RunAsync(["run", "--isolation", "chroot", container, "--", .. command])).Output;
        }
        finally
        {
            await Tool.RunAsync("rm", container);
        }
    }

    public override async Task WipeAsync()
    {
        await Tool.RunAsync("rm", "--all");
        await base.WipeAsync();
    }

    protected override async Task<string> DigestAsync(string reference) =>
        (await Tool.RunAsync("inspect", "--type", "image", "--format", "{{.FromImageDigest}}", reference)).Output.Trim();
}
