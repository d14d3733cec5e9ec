using Gantry.EndToEnd.Tests.Clients;

namespace Gantry.EndToEnd.Tests;

/// <summary>The .NET SDK as a client: it has an upload, a mount and a retry logic of its own.</summary>
public sealed class DotnetPublishTests(Lab lab)
{
    [Theory]
    [InlineData("atomic", "false", "65536")]
    [InlineData("chunks", "true", "65536")]
    [InlineData("large-chunks", "true", "1048576")]
    [Trait("Protocol", "D2.21")]
    [Trait("Protocol", "D2.23")]
    public async Task Publish_PushesAnImageThatDockerRuns(string name, string chunked, string chunkBytes)
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
        Assert.Equal(DotnetPublisher.Greeting + "\n", await docker.RunAsync(reference));
    }
}
