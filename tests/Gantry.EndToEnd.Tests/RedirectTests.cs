using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;
using Gantry.TestKit;

namespace Gantry.EndToEnd.Tests;

/// <summary>
/// A registry that keeps blobs in a real S3 and sends its clients there for them. The store refuses whoever brings a
/// credential for the registry along, so a pull that works also shows that none was sent on.
/// </summary>
[Trait("Protocol", "D4.65")]
public sealed class RedirectTests(Lab lab)
{
    private static readonly Lazy<Task<S3Bucket>> Bucket = new(() => S3Server.CreateBucketAsync());

    [Theory]
    [InlineData("docker")]
    [InlineData("ctr")]
    [InlineData("podman")]
    [InlineData("buildah")]
    [InlineData("skopeo")]
    [InlineData("gantry")]
    public async Task Pull_FetchesEachBlobFromTheStore(string name)
    {
        var registry = await RegistryAsync();
        var (repository, client) = ($"redirect/{name}", await lab.ClientAsync(name));
        var reference = $"{registry.Host}/{repository}:v1";
        await client.LoadAsync(lab.Images, "debian", reference);
        var pushed = await client.PushAsync(reference);
        await client.WipeAsync();

        var pulled = await client.PullAsync(reference);
        var said = await client.RunAsync(reference, "/usr/local/bin/hello");
        await client.WipeAsync();

        Assert.Equal(pushed, pulled);
        Assert.Equal("hello from a Debian image of several layers\n", said);
        var blobs = registry.Requests($"GET /v2/{repository}/blobs/").Where(line => !line.Contains("/uploads/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(blobs);
        Assert.All(blobs, line => Assert.Matches(" (307|401) in ", line));
        Assert.Contains(blobs, line => line.Contains(" 307 in ", StringComparison.Ordinal));
    }

    private async Task<RegistryUnderTest> RegistryAsync()
    {
        var bucket = await Bucket.Value;
        var registry = await lab.RegistryAsync(
            [.. bucket.Settings.Select(setting => $"--{setting.Key}={setting.Value}"), "--Storage:S3:Redirect=true", "--Logging:LogLevel:Gantry=Debug"]);
        ClientHome.WriteCredentials(lab.Home.AuthFile,
            (lab.Registry.Host, lab.Registry.User, lab.Registry.Password), (registry.Host, registry.User, registry.Password));
        return registry;
    }
}
