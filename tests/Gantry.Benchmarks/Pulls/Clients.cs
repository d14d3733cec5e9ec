using System.Diagnostics;
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

    /// <summary>Waits until an empty store is as a new one.</summary>
    public virtual Task ReadyAsync() => Task.CompletedTask;

    /// <summary>Empties the store. Costs nothing.</summary>
    public abstract Task WipeAsync();
}

/// <summary>The command of this project: <c>pull</c> into its store, or <c>unpack</c>.</summary>
/// <param name="folder">What has its store, and its tree.</param>
/// <param name="renew">Empties the folder.</param>
internal sealed class GantryClient(string program, ClientHome home, string folder, Func<Task> renew, CpuGroup group, bool isFlat = false) : Client(isFlat ? "gantry unpack" : "gantry pull", isFlat)
{
    private readonly Meter _meter = new(group, home.Environment, isAlone: true);

    private string Store => Path.Combine(folder, "store");

    public override Task<Cost> PullAsync(BenchImage image) => PullAsync(image.Reference);

    public Task<Cost> PullAsync(string reference, params string[] options) => IsFlat
        ? RunAsync(["unpack", "-q", .. options, reference, Path.Combine(folder, "tree")])
        : RunAsync(["pull", "-q", .. options, reference]);

    public Task<Cost> RunAsync(params string[] words) => _meter.RunAsync([program, "--root", Store, .. words]);

    public override Task WipeAsync() => renew();
}

/// <summary>podman.</summary>
internal sealed class PodmanPeer(ClientHome home, ScratchDisk disk, CpuGroup group) : Client("podman pull", isFlat: false)
{
    private readonly Meter _meter = new(group, home.Environment);
    private readonly string[] _podman = ["podman", "--root", disk.At("root"), "--runroot", disk.At("run"), "--storage-driver", "overlay",
        "--tmpdir", disk.At("tmp"), "--events-backend", "file", "--cgroup-manager", "cgroupfs"];

    public override Task<Cost> PullAsync(BenchImage image) => _meter.RunAsync([.. _podman, "pull", "-q", "--tls-verify=false", image.Reference]);

    public override async Task WipeAsync()
    {
        await new Command("umount").TryAsync("--lazy", disk.At("root/overlay"));
        await disk.RenewAsync();
    }
}

/// <summary>A client whose daemon keeps the store and removes images from it. <see cref="ScratchDisk"/> says why it rests then.</summary>
internal abstract class DaemonPeer(string name) : Client(name, isFlat: false)
{
    private const int FewFiles = 1_000;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(61);

    private readonly Stopwatch _sinceRemoval = new();
    private int _files;

    public sealed override Task<Cost> PullAsync(BenchImage image)
    {
        _files = image.Files;
        return PullAsync(image.Reference);
    }

    public sealed override async Task WipeAsync()
    {
        await RemoveImagesAsync();
        _sinceRemoval.Restart();
    }

    public sealed override Task ReadyAsync() =>
        _sinceRemoval.IsRunning && _files > FewFiles && Rest - _sinceRemoval.Elapsed is var left && left > TimeSpan.Zero ? Task.Delay(left) : Task.CompletedTask;

    protected abstract Task<Cost> PullAsync(string reference);

    protected abstract Task RemoveImagesAsync();
}

/// <summary>ctr, and a containerd in the same group.</summary>
internal sealed class ContainerdPeer(ClientHome home, ContainerdHost host, CpuGroup group) : DaemonPeer("ctr image pull")
{
    private readonly Meter _meter = new(group, home.Environment);
    private readonly string[] _ctr = ["ctr", "--address", host.Socket, "--namespace", "bench"];

    protected override Task<Cost> PullAsync(string reference) => _meter.RunAsync([.. _ctr, "image", "pull", "--plain-http", reference]);

    protected override async Task RemoveImagesAsync()
    {
        var ctr = new Command(_ctr[0], _ctr[1..]);
        foreach (var image in (await ctr.RunAsync("images", "ls", "-q")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await ctr.RunAsync("images", "rm", "--sync", image);
    }
}

/// <summary>docker, a dockerd in the same group, and its containerd, which has nothing to do in a pull.</summary>
internal sealed class DockerPeer(DockerClient docker, CpuGroup group) : DaemonPeer("docker pull")
{
    private readonly Meter _meter = new(group, docker.Docker.Environment);

    protected override Task<Cost> PullAsync(string reference) => _meter.RunAsync("docker", "pull", "-q", reference);

    protected override Task RemoveImagesAsync() => docker.WipeAsync();
}

/// <summary>skopeo fetches an OCI layout, umoci unpacks it: one after the other, as they are used.</summary>
internal sealed class UmociPeer(ClientHome home, ScratchDisk disk, CpuGroup group) : Client("skopeo copy + umoci unpack", isFlat: true)
{
    private readonly Meter _meter = new(group, home.Environment);

    public override async Task<Cost> PullAsync(BenchImage image)
    {
        var fetched = await _meter.RunAsync("skopeo", "copy", "-q", "--src-tls-verify=false", $"docker://{image.Reference}", $"oci:{disk.Folder}/layout:bench");
        return fetched + await _meter.RunAsync("umoci", "unpack", "--image", $"{disk.Folder}/layout:bench", $"{disk.Folder}/bundle");
    }

    public override Task WipeAsync() => disk.RenewAsync();
}

/// <summary>The floor: each layer by curl into gzip into GNU tar, in order. No digest, no whiteout, no store.</summary>
internal sealed class TarFloor(ClientHome home, ScratchDisk disk, CpuGroup group) : Client("curl, gzip, GNU tar", isFlat: true)
{
    private readonly Meter _meter = new(group, home.Environment);

    public override Task<Cost> PullAsync(BenchImage image)
    {
        const string Each = "set -e -o pipefail; for layer; do curl -sf \"$layer\" | gzip -dc | tar -xpf - --numeric-owner --xattrs --xattrs-include='*' -C \"$0\"; done";
        return _meter.RunAsync(["bash", "-c", Each, disk.Folder, .. image.Layers.Select(layer => $"http://{image.Host}/v2/{image.Repository}/blobs/{layer.Digest}")]);
    }

    public override Task WipeAsync() => disk.RenewAsync();
}
