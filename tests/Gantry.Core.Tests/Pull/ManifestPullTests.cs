using Gantry.Core.Pull;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Pull;

/// <summary>What was served before is never believed: it only spares the database the payload.</summary>
[Trait("Speed", "Slow")]
public sealed class ManifestPullTests : IAsyncLifetime
{
    private const string Repository = "team/app";
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Get_Again_DoesNotReadThePayloadAgain(bool byTag)
    {
        var digest = await PushAsync("one");
        var reference = byTag ? "latest" : digest.ToString();
        var first = await GetAsync(reference);
        // Nobody else can see what a statement reads: bytes that would be noticed.
        await _registry.ScalarAsync<object>("UPDATE manifests SET payload = 'other', media_type = 'other'");

        var second = await GetAsync(reference);

        Assert.Equal(digest, Digest.Of(first!.Payload!));
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task Get_SeesTheTagMoveAndGoAndComeBack()
    {
        var (one, two) = (await PushAsync("one"), await PushAsync("two"));
        Assert.Equal(two, (await GetAsync("latest"))?.Digest);

        await PushAsync("one");
        var moved = await GetAsync("latest");
        Assert.Equal((one, one), (moved!.Digest, Digest.Of(moved.Payload!)));

        await _registry.DeleteTagAsync(Repository, "latest");
        Assert.Null(await GetAsync("latest"));
        await _registry.RestoreTagAsync(Repository, "latest");
        Assert.Equal(one, (await GetAsync("latest"))?.Digest);

        Assert.Null(await GetAsync("latest", "team/other"));
    }

    [Fact]
    public async Task Get_SeesTheManifestGoAndComeBack()
    {
        var digest = await PushAsync("one");
        await GetAsync("latest");
        await GetAsync($"{digest}");

        await _registry.DeleteManifestAsync(Repository, digest);
        Assert.Equal((null, null), (await GetAsync("latest"), await GetAsync($"{digest}")));

        await _registry.RestoreManifestAsync(Repository, digest);
        Assert.Equal((digest, digest), ((await GetAsync("latest"))!.Digest, (await GetAsync($"{digest}"))!.Digest));
    }

    /// <summary>Bytes that do not name their media type have the one of the last push.</summary>
    [Fact]
    public async Task Get_SeesAMediaTypeThatTheBytesDoNotName()
    {
        const string Json = """{"schemaVersion":2,"manifests":[]}""";
        await _registry.PushManifestAsync(Repository, "latest", Json, MediaTypes.OciIndex);
        Assert.Equal(MediaTypes.OciIndex, (await GetAsync("latest"))?.MediaType);

        await _registry.PushManifestAsync(Repository, "latest", Json, MediaTypes.DockerManifestList);

        Assert.Equal(MediaTypes.DockerManifestList, (await GetAsync("latest"))?.MediaType);
    }

    private Task<Digest> PushAsync(string name) => _registry.PushManifestAsync(Repository, "latest",
        $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","annotations":{"name":"{{name}}"},"manifests":[]}""", MediaTypes.OciIndex);

    private Task<StoredManifest?> GetAsync(string reference, string repository = Repository) => _registry.FindManifestAsync(repository, reference);
}
