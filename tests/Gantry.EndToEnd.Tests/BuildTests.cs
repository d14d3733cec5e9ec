using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>Images built on an image of the registry, by each builder, and pushed back.</summary>
public sealed class BuildTests(Lab lab)
{
    private string Base => $"{lab.Registry.Host}/build/base:v1";

    [Fact]
    public async Task DockerLegacyBuild_FromOurImage_PushesAndPulls()
    {
        await lab.SeedAsync("debian", "build/base", "v1");
        var docker = await lab.DockerAsync();
        await docker.WipeAsync();
        var reference = $"{lab.Registry.Host}/build/legacy:v1";
        var builder = docker.With(Path.GetDirectoryName(lab.Home.AuthFile)!, ("DOCKER_BUILDKIT", "0"));
        await builder.RunAsync("build", "--network", "none", "-t", reference, Context("legacy"));
        await PushWipeRunAsync(docker, reference, "legacy");
    }

    [Fact]
    [Trait("Protocol", "D3.39")]
    public async Task BuildKit_FromOurImage_UsesTheInlineCacheOfTheRegistry()
    {
        await lab.SeedAsync("debian", "build/base", "v1");
        var docker = await lab.DockerAsync();
        await docker.WipeAsync();
        var reference = $"{lab.Registry.Host}/build/buildkit:v1";
        var builder = docker.With(Path.GetDirectoryName(lab.Home.AuthFile)!, ("DOCKER_BUILDKIT", "1"));
        string[] build = ["build", "--progress", "plain", "--network", "none", "--build-arg", "BUILDKIT_INLINE_CACHE=1",
            "-t", reference];
        var context = Context("buildkit");
        var first = await builder.RunAsync([.. build, context]);
        await PushWipeRunAsync(docker, reference, "buildkit");
        await docker.WipeAsync();
        await builder.RunAsync("builder", "prune", "--all", "--force");
        var second = await builder.RunAsync([.. build, "--cache-from", reference, context]);

        Assert.DoesNotContain("CACHED", first.Text);
        Assert.Contains("CACHED", second.Text);
    }

    [Theory]
    [InlineData("podman")]
    [InlineData("buildah")]
    public async Task ContainersBuild_FromOurImage_PushesAndPulls(string name)
    {
        await lab.SeedAsync("debian", "build/base", "v1");
        var client = (ContainersStore)await lab.ClientAsync(name);
        var reference = $"{lab.Registry.Host}/build/{name}:v1";
        await client.Tool.RunAsync("build", "--isolation", "chroot", "--network", "host", "-t", reference, Context(name));
        await PushWipeRunAsync(client, reference, name);
    }

    [Fact]
    public async Task Buildah_FromAndCommit_PushesStraightToTheRegistry()
    {
        await lab.SeedAsync("debian", "build/base", "v1");
        var buildah = await lab.BuildahAsync();
        var reference = $"{lab.Registry.Host}/build/commit:v1";
        var container = (await buildah.Tool.RunAsync("from", Base)).Output.Trim();
        await buildah.Tool.RunAsync("run", "--isolation", "chroot", container, "--", "sh", "-c", "echo committed >/etc/gantry-image");
        await buildah.Tool.RunAsync("commit", container, $"docker://{reference}");
        await buildah.WipeAsync();
        await buildah.PullAsync(reference);
        Assert.Equal("hello from committed\n", await buildah.RunAsync(reference, "/usr/local/bin/hello"));
    }

    private static async Task PushWipeRunAsync(IImageClient client, string reference, string name)
    {
        var pushed = await client.PushAsync(reference);
        await client.WipeAsync();
        Assert.Equal(pushed, await client.PullAsync(reference));
        Assert.Equal($"hello from {name}\n", await client.RunAsync(reference, "/usr/local/bin/hello"));
    }

    private string Context(string name)
    {
        var context = lab.NewFolder();
        File.WriteAllText(Path.Combine(context, "added"), "added");
        File.WriteAllText(Path.Combine(context, "Dockerfile"), $"""
            FROM {Base}
            COPY added /srv/added
            RUN rm /srv/again && echo {name} >/etc/gantry-image
            ENV BUILT=yes

            """);
        return context;
    }
}
