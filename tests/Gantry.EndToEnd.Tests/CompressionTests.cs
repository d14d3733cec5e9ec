using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>zstd layers: stored and served as they are, whatever the client would take.</summary>
public sealed class CompressionTests(Lab lab)
{
    private const string Said = "hello from a Debian image of several layers\n";

    [Theory]
    [InlineData("ctr")]
    [InlineData("podman")]
    [InlineData("buildah")]
    [InlineData("gantry")]
    public async Task ZstdImage_Pulled_Runs(string puller)
    {
        var digest = await lab.SeedAsync("zstd", "zstd/seeded", "v1");
        var reference = $"{lab.Registry.Host}/zstd/seeded:v1";
        var client = await lab.ClientAsync(puller);
        await client.WipeAsync();
        Assert.Equal(digest, await client.PullAsync(reference));
        Assert.Equal(Said, await client.RunAsync(reference, "/usr/local/bin/hello"));
        await client.WipeAsync();
    }

    [Theory]
    [InlineData("zstd", "tar+zstd")]
    [InlineData("gzip", "tar+gzip")]
    public async Task PodmanPush_WithACompression_IsServedWithIt(string compression, string suffix)
    {
        var podman = await lab.PodmanAsync();
        var reference = $"{lab.Registry.Host}/podman/{compression}:v1";
        // Imported as a plain tar: of an image it has seen gzipped podman sends the gzip layer, whatever it is asked for.
        var layer = lab.Images.Manifest("tiny", lab.Images.Digest("tiny"))["layers"]![0]!["digest"]!.GetValue<string>();
        var root = lab.NewFolder();
        var tar = Path.Combine(lab.NewFolder(), "tiny.tar");
        await new Command("tar").RunAsync("-C", root, "-xzf", Path.Combine(lab.Images.Folder("tiny"), "blobs", layer.Replace(':', '/')));
        await File.WriteAllTextAsync(Path.Combine(root, "compression"), compression);
        await new Command("tar").RunAsync("-C", root, "-cf", tar, ".");
        await podman.Tool.RunAsync("import", "-q", tar, reference);
        var pushed = await podman.PushAsync(reference, "--compression-format", compression, "--format", "oci");
        await podman.WipeAsync();
        var pulled = await podman.PullAsync(reference);
        var raw = await (await lab.SkopeoAsync()).Skopeo.RunAsync("inspect", "--raw", $"docker://{reference}");

        Assert.Equal(pushed, pulled);
        Assert.EndsWith(suffix, JsonNode.Parse(raw.Output)!["layers"]![0]!["mediaType"]!.GetValue<string>());
        Assert.Equal("runs\n", await podman.RunAsync(reference, "/bin/echo", "runs"));
    }
}
