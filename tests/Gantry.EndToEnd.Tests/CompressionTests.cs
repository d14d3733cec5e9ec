using System.Text.Json.Nodes;

namespace Gantry.EndToEnd.Tests;

/// <summary>zstd layers: stored and served as they are, whatever the client would take.</summary>
public sealed class CompressionTests(Lab lab)
{
    private const string Said = "hello from a Debian image of several layers\n";

    [Theory]
    [InlineData("ctr")]
    [InlineData("podman")]
    [InlineData("buildah")]
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
        // A fresh store and repository: podman would send the gzip layers that it remembers from elsewhere.
        await podman.WipeAsync();
        var reference = $"{lab.Registry.Host}/podman/{compression}:v1";
        await podman.LoadAsync(lab.Images, "tiny", reference);
        var pushed = await podman.PushAsync(reference, "--compression-format", compression, "--format", "oci");
        await podman.WipeAsync();
        var pulled = await podman.PullAsync(reference);
        var raw = await (await lab.SkopeoAsync()).Skopeo.RunAsync("inspect", "--raw", $"docker://{reference}");

        Assert.Equal(pushed, pulled);
        Assert.EndsWith(suffix, JsonNode.Parse(raw.Output)!["layers"]![0]!["mediaType"]!.GetValue<string>());
        Assert.Equal("runs\n", await podman.RunAsync(reference, "/bin/echo", "runs"));
    }
}
