using System.Text;
using Gantry.Core.Browse;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Core.Tests.Browse;

[Trait("Speed", "Slow")]
public sealed class ManifestFactsTests : IAsyncLifetime
{
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Facts_AreMadeOnce_OfWhatTheConfigOrTheIndexSays()
    {
        var arm = await _registry.PushImageOfAsync("team/app", null, Browsing.Config("linux", "arm64", "v8"), "a layer");
        var amd = await _registry.PushImageOfAsync("team/app", "amd", Browsing.Config("linux", "amd64"), "a layer");
        var index = await _registry.PushManifestAsync("team/app", "latest",
            $$$"""
            {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[
              {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{arm}}}","size":1,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}},
              {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{amd}}}","size":1,"platform":{"os":"linux","architecture":"amd64"}}]}
            """, MediaTypes.OciIndex);
        await _registry.FollowAsync();

        Assert.Equal(3, await _registry.Get<ManifestFacts>().MakeDueAsync(default));
        Assert.Equal(0, await _registry.Get<ManifestFacts>().MakeDueAsync(default));

        Assert.Equal("linux/arm64/v8", await FactAsync(arm, "array_to_string(platforms, ' ')"));
        Assert.Equal("linux/arm64/v8 linux/amd64", await FactAsync(index, "array_to_string(platforms, ' ')"));
        Assert.Equal("2026-01-02", await FactAsync(amd, "image_created::date::text"));
        // The layer that both have counts once.
        var whole = await _registry.ScalarAsync<long>(
            "SELECT ((SELECT sum(size) FROM blobs) + (SELECT sum(octet_length(payload)) FROM manifests))::bigint");
        Assert.Equal($"{whole}", await FactAsync(index, "size::text"));
        Assert.Equal("", await FactAsync(index, "coalesce(due_at::text, '')"));
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("[]")]
    [InlineData("""{"os":"lin\u0000ux","architecture":"amd64"}""")]
    [InlineData("""{"os":"\ud800","architecture":"amd64"}""")]
    [InlineData("""{"os":{},"architecture":7,"created":"yesterday","history":3,"config":[]}""")]
    [InlineData("""{"os":"<script>","architecture":"a/b","created":"0001-01-01T00:00:00Z"}""")]
    public async Task Facts_OfAHostileConfig_AreTheSizeAlone(string config)
    {
        var image = await _registry.PushImageOfAsync("team/app", "latest", config, "a layer");
        await _registry.FollowAsync();
        await _registry.Get<ManifestFacts>().MakeDueAsync(default);

        Assert.Equal(" / ", await FactAsync(image, "concat(array_to_string(platforms, ','), ' / ', image_created)"));
        Assert.Equal($"{Encoding.UTF8.GetByteCount(config) + 7 + Browsing.ImageOf(config, "a layer").Length}", await FactAsync(image, "size::text"));
    }

    [Fact]
    public async Task Facts_OfWhatTodaysRulesRefuse_AreTheSizeAlone()
    {
        var image = await _registry.PushImageOfAsync("team/app", "latest", Browsing.Config("linux", "amd64"), "a layer");
        await _registry.FollowAsync();
        await _registry.ScalarAsync<object>("UPDATE manifests SET payload = 'broken'");
        await _registry.Get<ManifestFacts>().MakeDueAsync(default);

        Assert.Equal($"{Browsing.Config("linux", "amd64").Length + 7 + 6}", await FactAsync(image, "size::text"));
    }

    [Fact]
    public async Task Facts_OfAStoreThatDoesNotAnswer_AreTriedAgain()
    {
        var image = await _registry.PushImageOfAsync("team/app", "latest", Browsing.Config("linux", "amd64"), "a layer");
        await _registry.FollowAsync();
        var silent = new ManifestFacts(_registry.Contexts, new ConfigBlobs(new SilentStore()), NullLogger<ManifestFacts>.Instance);

        Assert.Equal(1, await silent.MakeDueAsync(default));
        Assert.Equal("true", await FactAsync(image, "(size IS NULL AND due_at > now())::text"));
        // A listing shows what is known all the same.
        var made = await silent.MakeAsync(1, [image.ToString()], default);
        Assert.Empty(made[image.ToString()].Platforms);
        Assert.NotEqual(0, made[image.ToString()].Size);

        await _registry.ScalarAsync<object>("UPDATE manifest_facts SET due_at = now()");
        await _registry.Get<ManifestFacts>().MakeDueAsync(default);
        Assert.Equal("linux/amd64", await FactAsync(image, "array_to_string(platforms, ' ')"));
    }

    private Task<string> FactAsync(Digest digest, string column) =>
        _registry.ScalarAsync<string>($"SELECT {column} FROM manifest_facts WHERE digest = $1", digest.ToString());

    /// <summary>As S3 that cannot be reached.</summary>
    private sealed class SilentStore : IBlobStore
    {
        public ValueTask<IBlobReader?> OpenAsync(BlobLocation location, BlobRange? expected, CancellationToken cancellationToken) => throw new IOException("no answer");

        public ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DeleteAsync(BlobLocation location, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<StoredItem> ListAsync(byte shard, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<Guid> OwnerAsync(Guid asking, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<Uri?> RedirectAsync(BlobLocation location, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask ProbeAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
