using Gantry.EndToEnd.Tests.Clients;

namespace Gantry.EndToEnd.Tests;

/// <summary>The .NET SDK as a client: it has an upload, a mount and a retry logic of its own.</summary>
public sealed class DotnetPublishTests(Lab lab)
{
    [Theory]
    [InlineData("atomic", "false", "65536", 2)] // a layer and the config
    [InlineData("chunks", "true", "65536", 11)] // at least 700,000 random bytes / 64 KiB
    [InlineData("large-chunks", "true", "262144", 4)]
    [Trait("Protocol", "D2.21")]
    [Trait("Protocol", "D2.23")]
    public async Task Publish_PushesAnImageThatDockerRuns(string name, string chunked, string chunkBytes, int patches)
    {
        Lab.Say($"drives {await DotnetPublisher.VersionAsync()}");
        await lab.SeedAsync("dotnet", "publish/base", "10.0");
        var docker = await lab.DockerAsync();
        var repository = $"publish/{name}";
        var publisher = new DotnetPublisher(lab.Home, lab.Registry);
        await publisher.PublishAsync(repository, "v1", "publish/base:10.0",
            ("DOTNET_CONTAINER_DEBUG_REGISTRY_FORCE_CHUNKED_UPLOAD", chunked),
            ("DOTNET_CONTAINER_REGISTRY_CHUNKED_UPLOAD_SIZE_BYTES", chunkBytes));

        var reference = $"{lab.Registry.Host}/{repository}:v1";
        Assert.Equal(await lab.Registry.DigestAsync(repository, "v1"), await docker.PullAsync(reference));
        var sent = lab.Registry.Requests($"PATCH /v2/{repository}/").Count;
        Assert.InRange(sent, patches, chunked == "true" ? patches * 2 : patches);
        Assert.Equal(DotnetPublisher.Greeting + "\n", await docker.RunAsync(reference));
    }
}
