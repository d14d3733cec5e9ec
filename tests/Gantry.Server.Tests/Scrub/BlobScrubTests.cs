using System.Net;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;
using Gantry.Core.Scrub;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.Scrub;

/// <summary>A blob rots, is found, is hidden, and heals by a push.</summary>
public sealed class BlobScrubTests(ScrubRegistry registry) : IClassFixture<ScrubRegistry>
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData("a flipped bit", DigestAlgorithm.Sha256)]
    [InlineData("a flipped bit", DigestAlgorithm.Sha512)]
    [InlineData("cut off", DigestAlgorithm.Sha256)]
    [InlineData("grown", DigestAlgorithm.Sha256)]
    [InlineData("gone", DigestAlgorithm.Sha256)]
    public async Task Scrub_OfABlobThatRotted_HidesItUntilAPushHealsIt(string what, DigestAlgorithm algorithm)
    {
        var content = NewContent(700_000);
        var digest = await Client.PushBlobAsync(_repository, content, algorithm);
        var other = await Client.PushBlobAsync(_repository, NewContent(1000));
        var file = await registry.FileAsync(digest);
        Rot.Do(what, file);
        await registry.DueAsync(digest);
        var log = CapturedLog.Of(registry.Server.Services);

        var result = await registry.Scrub.NextAsync(None);

        Assert.Equal((digest, ScrubOutcome.Rotten), (result!.Digest, result.Outcome));
        Assert.Equal([result.Detail], await registry.EventsAsync(EventKinds.BlobQuarantine, digest));
        Assert.Contains(Path.GetRelativePath(registry.Server.DataRoot + "/blobs", file.FullName), result.Detail);
        Assert.Single(log.Lines, line => line.Contains("is quarantined", StringComparison.Ordinal) && line.Contains($"{digest}", StringComparison.Ordinal));
        Assert.Null(await registry.Scrub.NextAsync(None));
        await AssertHiddenAsync(digest);
        Assert.Equal(HttpStatusCode.OK, (await Client.HeadBlobAsync(_repository, other)).StatusCode);

        await Client.PushBlobAsync(registry.NewRepository(), content, algorithm);

        Assert.Equal(content, await Client.GetByteArrayAsync($"/v2/{_repository}/blobs/{digest}"));
        Assert.Single(await registry.EventsAsync(EventKinds.BlobHeal, digest));
        Assert.Equal(ScrubOutcome.Good, (await registry.Scrub.CheckAsync(digest, None)).Outcome);
        await AssertGoesAfterItsDelayAsync(file, what != "gone");
    }

    [Fact]
    public async Task Manifests_OfABlobThatRotted_AreServedAndTakeNoMoreOfIt()
    {
        var layer = NewContent(1000);
        var manifest = await Client.PushImageAsync(_repository, "v1", layer);
        Rot.Flip(await registry.FileAsync(Digest.Of(layer)));
        Assert.Equal(ScrubOutcome.Rotten, (await registry.Scrub.CheckAsync(Digest.Of(layer), None)).Outcome);

        using var pull = await Client.GetAsync($"/v2/{_repository}/manifests/v1");
        Assert.Equal((HttpStatusCode.OK, manifest.ToString()), (pull.StatusCode, pull.Header("Docker-Content-Digest")));
        using var push = await PutManifestAsync(layer);
        Assert.Equal((HttpStatusCode.NotFound, "MANIFEST_BLOB_UNKNOWN"), (push.StatusCode, await push.ErrorCodeAsync()));

        await Client.PushBlobAsync(_repository, layer);
        using var again = await PutManifestAsync(layer);
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.Equal(layer, await Client.GetByteArrayAsync($"/v2/{_repository}/blobs/{Digest.Of(layer)}"));
    }

    [Fact]
    public async Task APullThatRuns_WhenItsBlobIsQuarantined_GoesOn()
    {
        var content = NewContent(8_000_000);
        var digest = await Client.PushBlobAsync(_repository, content);
        using var pull = await Client.GetAsync($"/v2/{_repository}/blobs/{digest}", HttpCompletionOption.ResponseHeadersRead);
        await registry.ExecuteAsync("UPDATE blobs SET quarantined_at = now() WHERE digest = $1", digest.ToString());

        Assert.Equal(content, await pull.Content.ReadAsByteArrayAsync());
        await AssertHiddenAsync(digest);
    }

    [Fact]
    public async Task Scrub_OfAQuarantinedBlobWhoseBytesAreRight_BringsItBack()
    {
        var content = NewContent(1000);
        var digest = await Client.PushBlobAsync(_repository, content);
        var file = await registry.FileAsync(digest);
        file.MoveTo($"{file.FullName}.away");
        Assert.Equal(ScrubOutcome.Rotten, (await registry.Scrub.CheckAsync(digest, None)).Outcome);
        Assert.Equal(ScrubOutcome.Rotten, (await registry.Scrub.CheckAsync(digest, None)).Outcome);
        Assert.Single(await registry.EventsAsync(EventKinds.BlobQuarantine, digest));

        file.MoveTo((await registry.FileAsync(digest)).FullName);
        Assert.Equal(ScrubOutcome.Back, (await registry.Scrub.CheckAsync(digest, None)).Outcome);

        Assert.Equal(content, await Client.GetByteArrayAsync($"/v2/{_repository}/blobs/{digest}"));
        Assert.Single(await registry.EventsAsync(EventKinds.BlobHeal, digest));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(700_000)]
    public async Task Scrub_OfASoundBlob_IsDueAgainAfterTheInterval(int length)
    {
        foreach (var algorithm in Enum.GetValues<DigestAlgorithm>())
        {
            var digest = await Client.PushBlobAsync(_repository, NewContent(length), algorithm);
            Assert.Null(await registry.Scrub.NextAsync(None));
            await registry.DueAsync(digest);

            Assert.Equal(new ScrubResult(digest, ScrubOutcome.Good), await registry.Scrub.NextAsync(None));

            Assert.True(await registry.Server.QueryAsync<bool>(
                "SELECT scrub_at BETWEEN now() + interval '29 days' AND now() + interval '31 days' FROM blobs WHERE digest = $1", digest.ToString()));
            Assert.Equal(HttpStatusCode.OK, (await Client.HeadBlobAsync(_repository, digest)).StatusCode);
        }
    }

    [Fact]
    public async Task Scrub_OfWhatIsNotThere_SaysSo() =>
        Assert.Equal(ScrubOutcome.Gone, (await registry.Scrub.CheckAsync(Digest.Of(NewContent(10)), None)).Outcome);

    private async Task AssertHiddenAsync(Digest digest)
    {
        using var head = await Client.HeadBlobAsync(_repository, digest);
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
        using var get = await Client.GetAsync($"/v2/{_repository}/blobs/{digest}");
        Assert.Equal((HttpStatusCode.NotFound, "BLOB_UNKNOWN"), (get.StatusCode, await get.ErrorCodeAsync()));
        using var mount = await Client.PostAsync($"/v2/{registry.NewRepository()}/blobs/uploads/?mount={digest}&from={_repository}", null);
        Assert.Equal(HttpStatusCode.Accepted, mount.StatusCode);
    }

    private async Task AssertGoesAfterItsDelayAsync(FileInfo file, bool isThere)
    {
        var doomed = registry.Server.Services.GetRequiredService<DoomedLocations>();
        var location = Path.GetRelativePath(registry.Server.DataRoot + "/blobs", file.FullName);
        await doomed.SweepAsync(500, None);
        file.Refresh();
        Assert.Equal(isThere, file.Exists);
        Assert.True(await registry.Server.QueryAsync<bool>(
            "SELECT delete_after BETWEEN now() + interval '50 minutes' AND now() + interval '1 hour' FROM doomed_locations WHERE location = $1",
            location));
        await registry.ExecuteAsync("UPDATE doomed_locations SET delete_after = now() WHERE location = $1", location);
        await doomed.SweepAsync(500, None);
        file.Refresh();
        Assert.False(file.Exists);
    }

    private Task<HttpResponseMessage> PutManifestAsync(byte[] layer) => Client.PutAsync($"/v2/{_repository}/manifests/v2",
        new StringContent(RegistryClient.ImageJson([layer], artifactType: "a/b"), new System.Net.Http.Headers.MediaTypeHeaderValue(MediaTypes.OciManifest)));
}
