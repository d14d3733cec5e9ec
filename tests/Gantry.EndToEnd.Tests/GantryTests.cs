using System.Security.Cryptography;
using System.Text;
using Gantry.EndToEnd.Tests.Clients;

namespace Gantry.EndToEnd.Tests;

/// <summary>What gantry does besides pushing, pulling and running one image: indexes, copies, lists, artifacts, other platforms.</summary>
public sealed class GantryTests(Lab lab)
{
    [Fact]
    public async Task PushAndCopy_OfAnIndex_KeepTheDigest_AndMountTheBlobs()
    {
        var gantry = await lab.GantryAsync();
        var (source, target) = ($"{lab.Registry.Host}/gantry/multi:v1", $"{lab.Registry.Host}/gantry/copied:v1");
        var pushed = await gantry.Gantry.RunAsync("push", "-q", lab.Images.Folder("multi"), source);
        var copied = await gantry.Gantry.RunAsync("copy", "-q", source, target);

        var digest = lab.Images.Digest("multi");
        Assert.Equal((digest, digest), (GantryClient.Digest(pushed), GantryClient.Digest(copied)));
        Assert.Equal(digest, await lab.Registry.DigestAsync("gantry/copied", "v1"));
        Assert.NotEmpty(lab.Registry.Requests("POST /v2/gantry/copied/blobs/uploads/"));
        Assert.All(lab.Registry.Requests("POST /v2/gantry/copied/blobs/uploads/"), line => Assert.Contains(" 201 in ", line));
        Assert.Empty(lab.Registry.Requests("PUT /v2/gantry/copied/blobs/"));
    }

    [Fact]
    public async Task Pull_OfAnotherPlatform_GetsIt()
    {
        await lab.SeedAsync("multi", "gantry/platforms", "v1");
        var gantry = await lab.GantryAsync();
        var reference = $"{lab.Registry.Host}/gantry/platforms:v1";
        await gantry.Gantry.RunAsync("pull", "--platform", "linux/arm64", reference);
        var inspected = await gantry.InspectAsync(reference);
        await gantry.WipeAsync();
        Assert.Equal("arm64", inspected.GetProperty("Architecture").GetString());
    }

    [Theory]
    [InlineData("debian")]
    [InlineData("multi")]
    [InlineData("schema2")]
    public async Task InspectRaw_OfTheRegistry_HashesToTheDigest(string image)
    {
        var digest = await lab.SeedAsync(image, $"gantry/{image}", "v1");
        var gantry = await lab.GantryAsync();
        var raw = await gantry.Gantry.RunAsync("inspect", "--remote", "--raw", $"{lab.Registry.Host}/gantry/{image}:v1");
        Assert.Equal(digest, $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(raw.Output)))}");
    }

    [Fact]
    public async Task Tags_NamesAllInOrder()
    {
        string[] tags = ["v1", "v1.0", "v10", "latest", "V1"];
        foreach (var tag in tags) await lab.SeedAsync("tiny", "gantry/tags", tag);
        var listed = await (await lab.GantryAsync()).Gantry.RunAsync("tags", $"{lab.Registry.Host}/gantry/tags");
        Assert.Equal(tags.Order(StringComparer.Ordinal), listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Artifact_IsPulledAndNotUnpacked_AndCopied()
    {
        var digest = await lab.SeedAsync("artifact", "gantry/artifact", "sbom", from: "sbom");
        var gantry = await lab.GantryAsync();
        var (source, target) = ($"{lab.Registry.Host}/gantry/artifact:sbom", $"{lab.Registry.Host}/gantry/artifact-copy:sbom");
        var pulled = await gantry.Gantry.RunAsync("pull", "-q", source);
        var run = await gantry.Gantry.TryAsync("run", "--rm", source, "/bin/true");
        var copied = await gantry.Gantry.RunAsync("copy", "-q", source, target);
        await gantry.WipeAsync();

        Assert.Equal((digest, digest), (GantryClient.Digest(pulled), GantryClient.Digest(copied)));
        Assert.Contains("stored without unpacking it", pulled.Error);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Equal(digest, await lab.Registry.DigestAsync("gantry/artifact-copy", "sbom"));
    }
}
