namespace Gantry.EndToEnd.Tests;

/// <summary>An index of three platforms and an attestation, pulled by clients that choose one and by those that take all.</summary>
public sealed class MultiPlatformTests(Lab lab)
{
    [Theory]
    [InlineData("docker")]
    [InlineData("ctr")]
    [InlineData("podman")]
    [InlineData("buildah")]
    [InlineData("gantry")]
    public async Task Pull_OfAnIndex_TakesTheMachinesPlatform(string puller)
    {
        await lab.SeedAsync("multi", "platforms/index", "v1");
        var reference = $"{lab.Registry.Host}/platforms/index:v1";
        var client = await lab.ClientAsync(puller);
        await client.WipeAsync();
        await client.PullAsync(reference);
        Assert.Equal("amd64\n", await client.RunAsync(reference, "/bin/cat", "/etc/platform"));
    }

    [Fact]
    public async Task Ctr_WithAllPlatforms_FetchesAndPushesTheWholeIndex()
    {
        var digest = await lab.SeedAsync("multi", "platforms/all", "v1");
        var ctr = await lab.CtrAsync();
        await ctr.WipeAsync();
        var source = $"{lab.Registry.Host}/platforms/all:v1";
        var target = $"{lab.Registry.Host}/platforms/by-ctr:v1";
        string[] access = ["--plain-http", "--user", $"{lab.Registry.User}:{lab.Registry.Password}"];
        // Fetched, not pulled: a pull would also unpack every platform, the attestation's too.
        await ctr.Ctr.RunAsync(["content", "fetch", "--all-platforms", .. access, source]);
        await ctr.Ctr.RunAsync(["images", "push", .. access, target, source]);

        Assert.Equal(digest, await lab.Registry.DigestAsync("platforms/by-ctr", "v1"));
    }

    [Fact]
    public async Task Podman_AsksForAnotherArchitecture_GetsIt()
    {
        await lab.SeedAsync("multi", "platforms/arm", "v1");
        var podman = await lab.PodmanAsync();
        var reference = $"{lab.Registry.Host}/platforms/arm:v1";
        await podman.Tool.RunAsync("pull", "-q", "--arch", "arm64", reference);
        var inspected = await podman.Tool.RunAsync("image", "inspect", "--format", "{{.Architecture}}", reference);
        await podman.WipeAsync();
        Assert.Equal("arm64\n", inspected.Output);
    }

    [Fact]
    public async Task Buildah_ManifestPushAll_MakesAnIndexThatDockerPulls()
    {
        await lab.SeedAsync("multi", "platforms/source", "v1");
        var buildah = await lab.BuildahAsync();
        var reference = $"{lab.Registry.Host}/platforms/by-buildah:v1";
        await buildah.Tool.RunAsync("manifest", "create", "localhost/made");
        await buildah.Tool.RunAsync("manifest", "add", "--all", "localhost/made", $"docker://{lab.Registry.Host}/platforms/source:v1");
        await buildah.Tool.RunAsync("manifest", "push", "--all", "localhost/made", $"docker://{reference}");
        await buildah.WipeAsync();

        var docker = await lab.DockerAsync();
        await docker.PullAsync(reference);
        Assert.Equal("amd64\n", await docker.RunAsync(reference, "/bin/cat", "/etc/platform"));
    }
}
