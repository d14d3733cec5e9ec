using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>
/// skopeo keeps no store: its local side is an OCI layout a reference. What it pulled is checked file by file, and
/// runs by umoci and runc.
/// </summary>
internal sealed class SkopeoClient : IImageClient
{
    private readonly ClientHome home;

    private SkopeoClient(ClientHome home, string version)
    {
        this.home = home;
        Version = version;
        Skopeo = new Command("skopeo") { Environment = home.Environment };
    }

    public Command Skopeo { get; }

    public string Version { get; }

    public static async Task<SkopeoClient> StartAsync(ClientHome home) =>
        new(home, (await new Command("skopeo").RunAsync("--version")).Output.Trim());

    public Task LoadAsync(ImageSet images, string name, string reference) =>
        Skopeo.RunAsync("copy", "-q", "--all", images.Layout(name), $"oci:{LayoutOf(reference)}:latest");

    public async Task<string> PushAsync(string reference)
    {
        var file = home.At($"tmp/digest-{Guid.NewGuid():N}");
        await Skopeo.RunAsync("copy", "-q", "--all", "--preserve-digests", "--digestfile", file,
            $"oci:{LayoutOf(reference)}:latest", $"docker://{reference}");
        return (await File.ReadAllTextAsync(file)).Trim();
    }

    public async Task<string> PullAsync(string reference)
    {
        // Unlike a layout, a "dir:" takes docker schema2 as it is, so the digest survives.
        var folder = LayoutOf(reference);
        var file = home.At($"tmp/digest-{Guid.NewGuid():N}");
        await Skopeo.RunAsync("copy", "-q", "--all", "--preserve-digests", "--digestfile", file,
            $"docker://{reference}", $"dir:{folder}.dir");
        foreach (var blob in Directory.EnumerateFiles($"{folder}.dir").Where(f => Path.GetFileName(f).Length == 64))
        {
            await using var bytes = File.OpenRead(blob);
            Assert.Equal(Path.GetFileName(blob), Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes)));
        }
        return (await File.ReadAllTextAsync(file)).Trim();
    }

    public async Task<string> RunAsync(string reference, params string[] command)
    {
        var layout = LayoutOf(reference);
        var bundle = $"{layout}.bundle";
        await Skopeo.RunAsync("copy", "-q", "--format", "oci", $"dir:{layout}.dir", $"oci:{layout}:latest");
        await new Command("umoci").RunAsync("unpack", "--image", $"{layout}:latest", bundle);
        var file = Path.Combine(bundle, "config.json");
        var config = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        config["process"]!["terminal"] = false;
        config["process"]!["args"] = new JsonArray([.. command.Select(word => JsonValue.Create(word))]);
        await File.WriteAllTextAsync(file, config.ToJsonString());
        return (await new Command("runc", "--root", home.At("run/runc")) { WorkingFolder = bundle }
            .RunAsync("run", $"run-{Guid.NewGuid():N}")).Output;
    }

    public Task WipeAsync()
    {
        if (Directory.Exists(home.At("skopeo"))) Directory.Delete(home.At("skopeo"), recursive: true);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => default;

    private string LayoutOf(string reference)
    {
        Directory.CreateDirectory(home.At("skopeo"));
        return home.At($"skopeo/{reference.Replace('/', '_').Replace(':', '_')}");
    }
}
