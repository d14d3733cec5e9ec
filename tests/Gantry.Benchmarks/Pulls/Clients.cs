using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.Benchmarks.Pulls;

/// <summary>One way to get an image onto the disk. Its store is empty before each pull.</summary>
/// <param name="isFlat">One root filesystem is what comes out, not a directory a layer.</param>
internal abstract class Client(string name, bool isFlat)
{
    public string Name => name;

    public bool IsFlat => isFlat;

    public abstract Task<Cost> PullAsync(BenchImage image);

    /// <summary>Empties the store. Costs nothing.</summary>
    public abstract Task WipeAsync();

    /// <summary>By rm: an image's names are bytes, and need not be text.</summary>
    protected static Task RemoveAsync(params string[] folders) => new Command("rm").RunAsync(["-rf", "--one-file-system", .. folders]);
}

/// <summary>The command of this project: <c>pull</c> into its store, or <c>unpack</c>.</summary>
internal sealed class GantryClient(string program, ClientHome home, string folder, CpuGroup group, bool isFlat = false) : Client(isFlat ? "gantry unpack" : "gantry pull", isFlat)
{
    private readonly Meter _meter = new(group, home.Environment);

    public string Store => Path.Combine(folder, "store");

    public override Task<Cost> PullAsync(BenchImage image) => PullAsync(image.Reference);

    public Task<Cost> PullAsync(string reference, params string[] options) => IsFlat
        ? RunAsync(["unpack", "-q", .. options, reference, Path.Combine(folder, "tree")])
        : RunAsync(["pull", "-q", .. options, reference]);

    public Task<Cost> RunAsync(params string[] words) => _meter.RunAsync([program, "--root", Store, .. words]);

    public override Task WipeAsync() => RemoveAsync(Store, Path.Combine(folder, "tree"));
}

/// <summary>podman, with a new store for each pull.</summary>
internal sealed class PodmanPeer(ClientHome home, CpuGroup group) : Client("podman pull", isFlat: false)
{
    private readonly Meter _meter = new(group, home.Environment);
    private readonly string[] _podman = ["podman", "--root", home.At("podman/root"), "--runroot", home.At("podman/run"), "--storage-driver", "overlay",
        "--tmpdir", home.At("podman/tmp"), "--events-backend", "file", "--cgroup-manager", "cgroupfs"];

    public override Task<Cost> PullAsync(BenchImage image) => _meter.RunAsync([.. _podman, "pull", "-q", "--tls-verify=false", image.Reference]);

    public override async Task WipeAsync()
    {
        await new Command(_podman[0], _podman[1..]) { Environment = home.Environment }.RunAsync("rmi", "--all", "--force");
        await new Command("umount").TryAsync("--lazy", home.At("podman/root/overlay"));
        await RemoveAsync(home.At("podman"));
    }
}

/// <summary>ctr, and a containerd in the same group.</summary>
internal sealed class ContainerdPeer(ClientHome home, ContainerdHost host, CpuGroup group) : Client("ctr image pull", isFlat: false)
{
    private readonly Meter _meter = new(group, home.Environment);
    private readonly string[] _ctr = ["ctr", "--address", host.Socket, "--namespace", "bench"];

    public override Task<Cost> PullAsync(BenchImage image) => _meter.RunAsync([.. _ctr, "image", "pull", "--plain-http", image.Reference]);

    public override async Task WipeAsync()
    {
        var ctr = new Command(_ctr[0], _ctr[1..]);
        foreach (var image in (await ctr.RunAsync("images", "ls", "-q")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await ctr.RunAsync("images", "rm", "--sync", image);
    }
}

/// <summary>docker, a dockerd in the same group, and its containerd, which has nothing to do in a pull.</summary>
internal sealed class DockerPeer(DockerClient docker, CpuGroup group) : Client("docker pull", isFlat: false)
{
    private readonly Meter _meter = new(group, docker.Docker.Environment);

    public override Task<Cost> PullAsync(BenchImage image) => _meter.RunAsync("docker", "pull", "-q", image.Reference);

    public override Task WipeAsync() => docker.WipeAsync();
}

/// <summary>skopeo fetches an OCI layout, umoci unpacks it: one after the other, as they are used.</summary>
internal sealed class UmociPeer(ClientHome home, CpuGroup group) : Client("skopeo copy + umoci unpack", isFlat: true)
{
    private readonly Meter _meter = new(group, home.Environment);

    private string Folder => home.At("umoci");

    public override async Task<Cost> PullAsync(BenchImage image)
    {
        Directory.CreateDirectory(Folder);
        var fetched = await _meter.RunAsync("skopeo", "copy", "-q", "--src-tls-verify=false", $"docker://{image.Reference}", $"oci:{Folder}/layout:bench");
        return fetched + await _meter.RunAsync("umoci", "unpack", "--image", $"{Folder}/layout:bench", $"{Folder}/bundle");
    }

    public override Task WipeAsync() => RemoveAsync(Folder);
}

/// <summary>The floor: each layer by curl into gzip into GNU tar, in order. No digest, no whiteout, no store.</summary>
internal sealed class TarFloor(ClientHome home, CpuGroup group) : Client("curl, gzip, GNU tar", isFlat: true)
{
    private readonly Meter _meter = new(group, home.Environment);

    private string Folder => home.At("tar");

    public override Task<Cost> PullAsync(BenchImage image)
    {
        Directory.CreateDirectory(Folder);
        const string Each = "set -e -o pipefail; for layer; do curl -sf \"$layer\" | gzip -dc | tar -xpf - --numeric-owner --xattrs --xattrs-include='*' -C \"$0\"; done";
        return _meter.RunAsync(["bash", "-c", Each, Folder, .. image.Layers.Select(layer => $"http://{image.Host}/v2/{image.Repository}/blobs/{layer.Digest}")]);
    }

    public override Task WipeAsync() => RemoveAsync(Folder);
}
