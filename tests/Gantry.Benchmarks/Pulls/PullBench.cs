using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;
using Gantry.Oci;

namespace Gantry.Benchmarks.Pulls;

/// <summary>The registry, the clients and their daemons, all of them below one folder. Needs root.</summary>
internal sealed class PullBench : IAsyncDisposable
{
    private readonly RegistryProcess _registry;
    private readonly ClientHome _home;
    private readonly List<CpuGroup> _groups = [];
    private readonly Stack<IAsyncDisposable> _parts = [];
    private readonly string _program;

    private PullBench(RegistryProcess registry, ClientHome home, string program)
    {
        (_registry, _home, _program) = (registry, home, program);
        home.Trust(Host);
    }

    /// <summary>The top of everything.</summary>
    private string Root => Path.GetDirectoryName(Folder)!;

    public Uri Registry => _registry.Address;

    public string Host => Registry.Authority;

    public string Folder => _home.Folder;

    public IReadOnlyList<Client> Clients { get; private set; } = [];

    public GantryClient Pull => Clients.OfType<GantryClient>().First(client => !client.IsFlat);

    /// <param name="gantry">The command; null: as it was built beside this program.</param>
    public static async Task<PullBench> StartAsync(string folder, string? gantry)
    {
        var program = gantry ?? Path.Combine(AppContext.BaseDirectory.Replace("tests/Gantry.Benchmarks", "src/Gantry.Cli", StringComparison.Ordinal), "gantry");
        var registry = await RegistryProcess.StartPeerAsync(Directory.CreateDirectory(Path.Combine(folder, "registry")).FullName);
        var bench = new PullBench(registry, new ClientHome(Path.Combine(folder, "c")), program);
        try
        {
            await bench.StartClientsAsync();
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>gantry with its store in another folder.</summary>
    public GantryClient At(string folder) => new(_program, _home, folder, () => new Command("find").RunAsync(folder, "-mindepth", "1", "-delete"), NewGroup("other"));

    /// <summary>From an empty store, with nothing waiting for the disk, to an empty store.</summary>
    public static async Task<Cost> MeasureAsync(Client client, Func<Task<Cost>> pull)
    {
        await client.ReadyAsync();
        await new Command("sync").RunAsync();
        var cost = await pull();
        await client.WipeAsync();
        return cost;
    }

    /// <summary>The layout's image, and each of its layers as an image of its own.</summary>
    public async Task<BenchImage> PushAsync(string layout)
    {
        var image = BenchImage.Read(layout, Host);
        await Pull.RunAsync("push", "-q", image.Tag.Length > 0 ? $"{layout}:{image.Tag}" : layout, image.Reference);
        using var http = new HttpClient { BaseAddress = Registry };
        foreach (var layer in image.Layers)
        {
            var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["{{{layer.DiffId}}}"]}}""");
            using (var opened = await http.PostAsync($"/v2/{image.Repository}/blobs/uploads/", null))
            {
                var location = new Uri(Registry, opened.Headers.Location!).ToString();
                using var put = await http.PutAsync($"{location}{(location.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={Digest.Of(config)}", new ByteArrayContent(config));
                put.EnsureSuccessStatusCode();
            }

            JsonObject manifest = ImageBuilder.Manifest(ImageBuilder.Descriptor(Digest.Of(config), "application/vnd.oci.image.config.v1+json", config.Length), layer.Descriptor.DeepClone());
            using var reply = await http.PutAsync($"/v2/{image.Repository}/manifests/{image.ReferenceOf(layer)[(image.ReferenceOf(layer).LastIndexOf(':') + 1)..]}",
                new StringContent(manifest.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue(MediaTypes.OciManifest)));
            reply.EnsureSuccessStatusCode();
        }

        return image;
    }

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out var part)) await part.DisposeAsync();
        await _registry.DisposeAsync();
        foreach (var group in _groups) group.Dispose();
    }

    private async Task StartClientsAsync()
    {
        var clients = new List<Client>();
        Clients = clients;
        foreach (var isFlat in (bool[])[false, true])
        {
            var disk = await NewDiskAsync(isFlat ? "unpack" : "pull");
            clients.Add(new GantryClient(_program, _home, disk.Folder, disk.RenewAsync, NewGroup(isFlat ? "unpack" : "pull"), isFlat));
        }

        clients.Add(new PodmanPeer(_home, await NewDiskAsync("podman"), NewGroup("podman")));

        // A daemon a client, each counted with its own.
        var group = NewGroup("containerd");
        var home = await NewHomeAsync("ctr");
        clients.Add(new ContainerdPeer(home, await group.WithinAsync(() => StartContainerdAsync(home)), group));
        group = NewGroup("docker");
        var other = await NewHomeAsync("docker");
        var docker = await group.WithinAsync(async () => await DockerClient.StartAsync(other, await StartContainerdAsync(other)));
        _parts.Push(docker);
        clients.Add(new DockerPeer(docker, group));
        clients.Add(new UmociPeer(_home, await NewDiskAsync("umoci"), NewGroup("umoci")));
        clients.Add(new TarFloor(_home, await NewDiskAsync("tar"), NewGroup("tar")));
    }

    private async Task<ScratchDisk> NewDiskAsync(string name)
    {
        var disk = await ScratchDisk.MakeAsync(Path.Combine(Root, name));
        _parts.Push(disk);
        return disk;
    }

    /// <summary>For a daemon, on a disk of its own.</summary>
    private async Task<ClientHome> NewHomeAsync(string name)
    {
        var home = new ClientHome((await NewDiskAsync(name)).At("h"));
        home.Trust(Host);
        return home;
    }

    private async Task<ContainerdHost> StartContainerdAsync(ClientHome home)
    {
        var host = await ContainerdHost.StartAsync(home);
        _parts.Push(host);
        return host;
    }

    private CpuGroup NewGroup(string name)
    {
        var group = new CpuGroup(name);
        _groups.Add(group);
        return group;
    }
}
