using Gantry.EndToEnd.Tests;
using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

[assembly: AssemblyFixture(typeof(Lab))]
[assembly: AssemblyFixture(typeof(Gantry.TestKit.S3Server))]
[assembly: CollectionBehavior(DisableTestParallelization = true)] // the clients' stores are shared and wiped

namespace Gantry.EndToEnd.Tests;

/// <summary>
/// What all tests share, each part started when a test first asks for it: the images, one registry, one store a client.
/// Everything is below one temporary folder and gone at the end.
/// </summary>
public sealed class Lab : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("gantry-").FullName;
    private readonly Dictionary<string, IImageClient> clients = [];
    private readonly Dictionary<string, RegistryUnderTest> registries = [];
    private readonly Dictionary<string, string> pushes = [];
    private ContainerdHost? containerd;
    private Company? company;

    internal ImageSet Images { get; private set; } = null!;

    internal RegistryUnderTest Registry { get; private set; } = null!;

    internal ClientHome Home { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (Environment.UserName != "root")
            throw new InvalidOperationException("these tests run container engines of their own: run them as root");
        Home = new ClientHome(Path.Combine(folder, "c"));
        Images = await ImageSet.MakeAsync();
        Registry = await RegistryAsync();
        ClientHome.WriteCredentials(Home.AuthFile, (Registry.Host, Registry.User, Registry.Password));
    }

    /// <summary>
    /// The registry with these settings, shared by all tests that ask for the same. Clients have credentials for
    /// <see cref="Registry"/> alone, the one without settings.
    /// </summary>
    internal async Task<RegistryUnderTest> RegistryAsync(params string[] settings)
    {
        var key = string.Join(' ', settings);
        if (registries.TryGetValue(key, out var registry)) return registry;
        registry = await RegistryUnderTest.StartAsync(NewFolder(), settings);
        Home.Trust(registry.Host);
        registries.Add(key, registry);
        return registry;
    }

    /// <summary>The client of this name, and a line in the test's output that says which version it drives.</summary>
    internal async Task<IImageClient> ClientAsync(string name)
    {
        if (!clients.TryGetValue(name, out var client))
        {
            client = name switch
            {
                "docker" => await DockerClient.StartAsync(Home, await ContainerdAsync()),
                "ctr" => await ContainerdClient.StartAsync(Home, await ContainerdAsync(), Registry),
                "podman" => await PodmanClient.StartAsync(Home),
                "buildah" => await BuildahClient.StartAsync(Home),
                "skopeo" => await SkopeoClient.StartAsync(Home),
                "gantry" => await GantryClient.StartAsync(Home),
                _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such client"),
            };
            clients.Add(name, client);
        }
        Say($"drives {client.Version}");
        return client;
    }

    /// <summary>Pushes an image of the fixture by a client, once a run, and empties the client's store.</summary>
    internal async Task<string> PushedAsync(string image, string pusher, string reference)
    {
        var client = await ClientAsync(pusher);
        if (pushes.TryGetValue(reference, out var digest)) return digest;
        await client.LoadAsync(Images, image, reference);
        digest = await client.PushAsync(reference);
        await client.WipeAsync();
        return pushes[reference] = digest;
    }

    internal static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    /// <summary>A folder of the test's own, gone at the end of the run.</summary>
    internal string NewFolder() => Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName;

    internal async Task<DockerClient> DockerAsync() => (DockerClient)await ClientAsync("docker");

    internal async Task<ContainerdClient> CtrAsync() => (ContainerdClient)await ClientAsync("ctr");

    internal async Task<PodmanClient> PodmanAsync() => (PodmanClient)await ClientAsync("podman");

    internal async Task<BuildahClient> BuildahAsync() => (BuildahClient)await ClientAsync("buildah");

    internal async Task<SkopeoClient> SkopeoAsync() => (SkopeoClient)await ClientAsync("skopeo");

    internal async Task<GantryClient> GantryAsync() => (GantryClient)await ClientAsync("gantry");

    internal async Task<Company> CompanyAsync() => company ??= await Company.MakeAsync(this);

    internal async Task<ContainerdHost> ContainerdAsync() => containerd ??= await ContainerdHost.StartAsync(Home);

    /// <summary>Copies an image of the fixture into the registry, byte for byte, and returns its digest.</summary>
    internal async Task<string> SeedAsync(string image, string repository, string tag = "latest", string from = "latest")
    {
        var skopeo = new Command("skopeo") { Environment = Home.Environment };
        var source = image == "schema2" ? $"dir:{Images.Folder(image)}" : Images.Layout(image, from);
        await skopeo.RunAsync("copy", "-q", "--all", "--preserve-digests", source, $"docker://{Registry.Host}/{repository}:{tag}");
        return await Registry.DigestAsync(repository, tag) ?? throw new InvalidOperationException("the copy is not there");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients.Values) await client.DisposeAsync();
        if (containerd is not null) await containerd.DisposeAsync();
        foreach (var registry in registries.Values) await registry.DisposeAsync();
        if (company is not null) await company.DisposeAsync();
        var faults = registries.Values.SelectMany(registry => registry.Faults()).ToList();
        // Engines leave mounts behind where they were ended in the middle of something.
        var mounts = (await File.ReadAllLinesAsync("/proc/mounts")).Select(line => line.Split(' ')[1]);
        foreach (var point in mounts.Where(p => p.StartsWith(folder + "/", StringComparison.Ordinal)).OrderDescending())
            await new Command("umount").TryAsync("--lazy", point);
        await new Command("rm").RunAsync("-rf", folder);
        // Whatever the clients made of it: a 5xx is a fault of ours, and fails the run.
        Assert.Empty(faults);
    }
}
