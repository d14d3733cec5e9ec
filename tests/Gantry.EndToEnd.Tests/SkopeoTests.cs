using System.Text.Json.Nodes;

namespace Gantry.EndToEnd.Tests;

/// <summary>What skopeo does besides copying one image: indexes, listings, deletion, mirroring, every media type.</summary>
public sealed class SkopeoTests(Lab lab)
{
    private string At(string repository) => $"docker://{lab.Registry.Host}/{repository}";

    [Fact]
    [Trait("Protocol", "D3.36")]
    [Trait("Protocol", "D3.40")]
    public async Task CopyAll_OfAnIndex_KeepsEveryDigest()
    {
        var skopeo = await lab.SkopeoAsync();
        var digest = await lab.SeedAsync("multi", "skopeo/multi", "v1");
        var back = lab.NewFolder();
        await skopeo.Skopeo.RunAsync("copy", "-q", "--all", "--preserve-digests", At("skopeo/multi:v1"), $"oci:{back}:latest");

        Assert.Equal(lab.Images.Digest("multi"), digest);
        var original = Path.Combine(lab.Images.Folder("multi"), "blobs/sha256");
        foreach (var blob in Directory.EnumerateFiles(original).Select(Path.GetFileName))
        {
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(original, blob!)),
                await File.ReadAllBytesAsync(Path.Combine(back, "blobs/sha256", blob!)));
        }
    }

    [Theory]
    [InlineData("debian")]
    [InlineData("zstd")]
    [InlineData("schema2")]
    public async Task Copy_OfAnyMediaType_InspectsAsItWasPushed(string image)
    {
        var skopeo = await lab.SkopeoAsync();
        await lab.SeedAsync(image, $"skopeo/{image}", "v1");
        var raw = await skopeo.Skopeo.RunAsync("inspect", "--raw", At($"skopeo/{image}:v1"));
        var config = await skopeo.Skopeo.RunAsync("inspect", "--config", At($"skopeo/{image}:v1"));

        var expected = image == "schema2"
            ? await File.ReadAllTextAsync(Path.Combine(lab.Images.Folder(image), "manifest.json"))
            : lab.Images.Manifest(image, lab.Images.Digest(image)).ToJsonString();
        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), JsonNode.Parse(raw.Output)!.ToJsonString());
        Assert.Equal(4, JsonNode.Parse(config.Output)!["rootfs"]!["diff_ids"]!.AsArray().Count);
    }

    [Fact]
    [Trait("Protocol", "D3.52")]
    public async Task ListTags_NamesAllInOrder()
    {
        var skopeo = await lab.SkopeoAsync();
        string[] tags = ["v1", "v1.0", "v10", "latest", "V1"];
        foreach (var tag in tags) await lab.SeedAsync("tiny", "skopeo/tags", tag);
        var listed = await skopeo.Skopeo.RunAsync("list-tags", At("skopeo/tags"));

        Assert.Equal(tags.Order(StringComparer.Ordinal), JsonNode.Parse(listed.Output)!["Tags"]!.AsArray().Select(t => t!.GetValue<string>()));
    }

    [Fact]
    [Trait("Protocol", "D3.55")]
    public async Task Delete_RemovesTheManifestWithItsTags()
    {
        var skopeo = await lab.SkopeoAsync();
        var digest = await lab.SeedAsync("tiny", "skopeo/delete", "v1");
        await lab.SeedAsync("tiny", "skopeo/delete", "v2");
        await skopeo.Skopeo.RunAsync("delete", At("skopeo/delete:v1"));
        var gone = await skopeo.Skopeo.TryAsync("inspect", At("skopeo/delete:v1"));

        Assert.NotEqual(0, gone.ExitCode);
        Assert.Contains("manifest unknown", gone.Text);
        Assert.Null(await lab.Registry.DigestAsync("skopeo/delete", digest));
        Assert.Null(await lab.Registry.DigestAsync("skopeo/delete", "v2"));
        Assert.Equal(digest, await lab.SeedAsync("tiny", "skopeo/delete", "v1"));
    }

    [Fact]
    public async Task Sync_MirrorsARepositoryToAFolderAndBack()
    {
        var skopeo = await lab.SkopeoAsync();
        var multi = await lab.SeedAsync("multi", "skopeo/sync", "multi");
        var tiny = await lab.SeedAsync("tiny", "skopeo/sync", "tiny");
        var folder = lab.NewFolder();
        await skopeo.Skopeo.RunAsync("sync", "--all", "--preserve-digests", "--src", "docker", "--dest", "dir",
            $"{lab.Registry.Host}/skopeo/sync", folder);
        await skopeo.Skopeo.RunAsync("sync", "--all", "--preserve-digests", "--src", "dir", "--dest", "docker",
            folder, $"{lab.Registry.Host}/skopeo/mirror");

        Assert.Equal(multi, await lab.Registry.DigestAsync("skopeo/mirror/sync", "multi"));
        Assert.Equal(tiny, await lab.Registry.DigestAsync("skopeo/mirror/sync", "tiny"));
    }

    [Fact]
    [Trait("Protocol", "D2.27")]
    public async Task Copy_BetweenRepositories_MountsTheBlobs()
    {
        var skopeo = await lab.SkopeoAsync();
        await lab.SeedAsync("debian", "skopeo/mount-from", "v1");
        var copy = await skopeo.Skopeo.RunAsync("--debug", "copy", "--preserve-digests",
            At("skopeo/mount-from:v1"), At("skopeo/mount-to:v1"));

        // Only the config, for which skopeo never tries a mount, is uploaded.
        Assert.Equal(4, copy.Text.Split("mount OK").Length - 1);
        Assert.Equal(1, copy.Text.Split("Uploading /v2/").Length - 1);
        Assert.Equal(lab.Images.Digest("debian"), await lab.Registry.DigestAsync("skopeo/mount-to", "v1"));
    }
}
