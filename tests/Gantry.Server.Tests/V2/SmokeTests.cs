using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>The whole way once: what is pushed comes back byte for byte.</summary>
public sealed class SmokeTests(RegistryFixture registry)
{
    [Fact]
    public async Task Push_ThenPull_ReturnsTheSameBytes()
    {
        var repository = registry.NewRepository();
        var layer = "a layer"u8.ToArray();

        var digest = await registry.Client.PushImageAsync(repository, "v1", layer);

        using var manifest = await registry.Client.GetAsync($"/v2/{repository}/manifests/v1");
        Assert.Equal(HttpStatusCode.OK, manifest.StatusCode);
        Assert.Equal(digest, Digest.Of(await manifest.Content.ReadAsByteArrayAsync()));
        Assert.Equal(digest.ToString(), manifest.Header("Docker-Content-Digest"));
        Assert.Equal(layer, await registry.Client.GetByteArrayAsync($"/v2/{repository}/blobs/{Digest.Of(layer)}"));
        Assert.Equal($$"""{"name":"{{repository}}","tags":["v1"]}""",
            Encoding.UTF8.GetString(await registry.Client.GetByteArrayAsync($"/v2/{repository}/tags/list")));
    }
}
