using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>ctr, which has no configuration: plain HTTP and credentials are arguments.</summary>
internal sealed class ContainerdClient : IImageClient
{
    private readonly string folder;
    private readonly string[] access;

    private ContainerdClient(ClientHome home, ContainerdHost host, RegistryUnderTest registry, string version)
    {
        folder = home.At("tmp");
        access = ["--plain-http", "--user", $"{registry.User}:{registry.Password}"];
        Ctr = new Command("ctr", "--address", host.Socket, "--namespace", "gantry") { Environment = home.Environment };
        Version = version;
    }

    public Command Ctr { get; }

    public string Version { get; }

    public static async Task<ContainerdClient> StartAsync(ClientHome home, ContainerdHost host, RegistryUnderTest registry)
    {
        var version = await new Command("ctr").RunAsync("--version");
        return new ContainerdClient(home, host, registry, version.Output.Trim());
    }

    public async Task LoadAsync(ImageSet images, string name, string reference)
    {
        var archive = Path.Combine(folder, $"{name}.tar");
        await new Command("tar").RunAsync("-C", images.Folder(name), "-cf", archive, "blobs", "index.json", "oci-layout");
        await Ctr.RunAsync("images", "import", "--all-platforms", "--base-name", $"gantry/{name}", archive);
        File.Delete(archive);
        await Ctr.RunAsync("images", "tag", "--force", $"gantry/{name}:latest", reference);
    }

    public async Task<string> PushAsync(string reference)
    {
        await Ctr.RunAsync(["images", "push", .. access, reference]);
        return await DigestAsync(reference);
    }

    public async Task<string> PullAsync(string reference)
    {
        await Ctr.RunAsync(["images", "pull", .. access, reference]);
        return await DigestAsync(reference);
    }

    public async Task<string> RunAsync(string reference, params string[] command) =>
        (await Ctr.RunAsync(["run", "--rm", reference, $"run-{Guid.NewGuid():N}", .. command])).Output;

    public async Task WipeAsync()
    {
        var images = (await Ctr.RunAsync("images", "ls", "-q")).Output;
        foreach (var image in images.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await Ctr.RunAsync("images", "rm", "--sync", image);
        var content = (await Ctr.RunAsync("content", "ls", "-q")).Output;
        foreach (var digest in content.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await Ctr.TryAsync("content", "rm", digest);
    }

    /// <summary>The digest of an image in the local store.</summary>
    public async Task<string> DigestAsync(string reference)
    {
        var line = (await Ctr.RunAsync("images", "ls", $"name=={reference}")).Output.Split('\n')[1];
        return line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2];
    }

    public ValueTask DisposeAsync() => default;
}
