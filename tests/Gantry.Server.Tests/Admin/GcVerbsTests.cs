using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Admin;

/// <summary><c>gantry-server gc</c> and <c>admin restore</c> as processes of their own, beside a server that runs.</summary>
[Trait("Speed", "Slow")]
public sealed class GcVerbsTests : IAsyncLifetime
{
    private const string Age = "interval '2 days'";
    private RegistryServer _server = null!;
    private HttpClient _client = null!;

    private ServerVerbs Verbs => new(_server, "Gc:MaxShare=1", "Gc:MaxPerSecond=100000");

    public async ValueTask InitializeAsync()
    {
        // The server itself leaves everything to the verb.
        _server = await RegistryServer.StartAsync("Gc:Enabled=false");
        _client = _server.Client();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task DryRun_ListsAllThatARunThenTakes()
    {
        var child = await _client.PushImageAsync("acme/app", null, "child"u8.ToArray());
        var index = await _client.PushManifestAsync("acme/app", "v1", RegistryClient.IndexJson((MediaTypes.OciManifest, child, 1)), MediaTypes.OciIndex);
        await _client.PushImageAsync("acme/other", "v1", "stays"u8.ToArray());
        foreach (var digest in new[] { index, child }) (await _client.DeleteAsync($"/v2/acme/app/manifests/{digest}")).EnsureSuccessStatusCode();
        var upload = await _client.StartUploadAsync("acme/app");
        var orphan = Path.Combine(_server.DataRoot, "blobs", "blobs", "00", $"{Guid.NewGuid():N}"[..30] + "00");
        await File.WriteAllTextAsync(orphan, "orphan");
        await AgeAsync();

        var preview = await DoAsync("gc", "--dry-run");

        foreach (var digest in new[] { index, child }) Assert.Contains($"acme/app@{digest}", preview);
        Assert.Contains($"blob                  5  {Digest.Of("child"u8)}", preview);
        // The config is the other image's too.
        Assert.DoesNotContain($"2  {Digest.Of(RegistryClient.EmptyConfig)}", preview);
        Assert.DoesNotContain("acme/other", preview);
        Assert.Contains("would go: 2 manifests,", preview);
        Assert.Contains("would go: 2 links of repositories to blobs, 0 bytes", preview);
        Assert.Contains("would go: 1 blobs, 5 bytes", preview);
        Assert.Contains("would go: 1 uploads that rested too long, 0 bytes", preview);
        Assert.Contains("would go: 1 orphans: bytes without a row, 6 bytes", preview);
        Assert.Equal(preview, await DoAsync("gc", "--dry-run"));
        Assert.Equal(System.Net.HttpStatusCode.NoContent, (await _client.GetAsync(upload)).StatusCode);

        var run = await DoAsync("gc", "--Gc:ByteDelay=00:00:00");
        foreach (var line in (string[])["ended          1 uploads", "removed        2 manifests", "removed        2 links", "removed        1 blobs of 5 bytes",
            "found          1 orphans of 6 bytes", "deleted        3 locations"]) Assert.Contains(line, run);
        Assert.False(File.Exists(orphan));
        Assert.Equal("nothing would go", await DoAsync("gc", "--dry-run"));
        Assert.Equal("stays"u8.ToArray(), await _client.GetByteArrayAsync($"/v2/acme/other/blobs/{Digest.Of("stays"u8)}"));
    }

    [Fact]
    public async Task DryRun_SaysWhatARuleWouldHide_AndARunHidesIt()
    {
        var image = await _client.PushImageAsync("ci/app", null, "layer"u8.ToArray());
        await AgeAsync();
        string[] rule = ["--Gc:Retention:0:Repositories=ci/*", "--Gc:Retention:0:UntaggedAfter=1.00:00:00"];

        Assert.Contains($"ci/app@{image}", await DoAsync(["gc", "--dry-run", .. rule]));
        Assert.Contains($"the rule ci/* hides it once that is 1.00:00:00 old", await DoAsync(["gc", "why", $"{image}", .. rule]));
        Assert.Contains("untagged, and no retention rule is for ci/app: it stays", await DoAsync("gc", "why", $"{image}"));
        Assert.Contains("hidden         1 untagged manifests", await DoAsync(["gc", .. rule]));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await _client.GetAsync($"/v2/ci/app/manifests/{image}")).StatusCode);
        Assert.Contains("retention of ci/*", await DoAsync("admin", "events", "--kind", "manifest.delete"));
    }

    [Fact]
    public async Task Why_NamesWhateverKeepsABlob_UpToItsTags()
    {
        var image = await _client.PushImageAsync("acme/app", null, "layer"u8.ToArray());
        await _client.PushManifestAsync("acme/app", "v1", RegistryClient.IndexJson((MediaTypes.OciManifest, image, 1)), MediaTypes.OciIndex);
        var signature = await _client.PushManifestAsync("acme/app", null, RegistryClient.ImageJson([], image, "application/vnd.example.signature"));
        var lonely = await _client.PushBlobAsync("acme/lonely", "lonely"u8.ToArray());

        var why = await DoAsync("gc", "why", $"{Digest.Of("layer"u8)}");
        Assert.Contains("blob of 5 bytes at blobs/", why);
        Assert.Contains("link of acme/app", why);
        Assert.Contains($"needed by manifest {image} of acme/app", why);
        Assert.Contains("tagged v1", why);
        Assert.Contains($"refers to {image}, which is there", await DoAsync("gc", "why", $"{signature}"));
        Assert.Contains("no manifest names it: it goes at", await DoAsync("gc", "why", $"{lonely}"));
        Assert.Equal("nothing here has this digest", await DoAsync("gc", "why", $"{Digest.Of("never"u8)}"));

        (await _client.DeleteAsync($"/v2/acme/app/manifests/{signature}")).EnsureSuccessStatusCode();
        var gone = await DoAsync("gc", "why", $"{signature}");
        Assert.Contains("(can be restored until", gone);
        Assert.Contains("nothing keeps it: it goes at", gone);
    }

    [Fact]
    public async Task Restore_BringsBackManifestTagAndBlob_AndListsThemBefore()
    {
        var image = await _client.PushImageAsync("acme/app", "v1", "layer"u8.ToArray());
        var bytes = await _client.GetByteArrayAsync("/v2/acme/app/manifests/v1");
        await _client.PushManifestAsync("acme/app", "v2", System.Text.Encoding.UTF8.GetString(bytes));
        var blob = await _client.PushBlobAsync("acme/app", "blob"u8.ToArray());
        foreach (var path in new[] { "manifests/v2", $"manifests/{image}", $"blobs/{blob}" }) (await _client.DeleteAsync($"/v2/acme/app/{path}")).EnsureSuccessStatusCode();

        var list = await DoAsync("admin", "restore", "list", "acme/app");
        foreach (var line in new[] { $"manifest  {image}", $"tag       v1 -> {image}", $"tag       v2 -> {image}", $"blob      {blob}" }) Assert.Contains(line, list);

        Assert.Equal($"manifest {image}\ntag v1", await DoAsync("admin", "restore", "manifest", "acme/app", $"{image}"));
        Assert.Equal("tag v2", await DoAsync("admin", "restore", "tag", "acme/app", "v2"));
        Assert.Equal($"blob {blob}", await DoAsync("admin", "restore", "blob", "acme/app", $"{blob}"));

        foreach (var tag in (string[])["v1", "v2"]) Assert.Equal(bytes, await _client.GetByteArrayAsync($"/v2/acme/app/manifests/{tag}"));
        Assert.Equal("blob"u8.ToArray(), await _client.GetByteArrayAsync($"/v2/acme/app/blobs/{blob}"));
        Assert.Equal("", await DoAsync("admin", "restore", "list", "acme/app"));
        Assert.Contains("manifest.restore", await DoAsync("admin", "events", "--repository", "acme/app"));
        foreach (var arguments in (string[][])[["manifest", "acme/app", $"{image}"], ["tag", "acme/app", "v3"], ["blob", "nowhere", $"{blob}"]])
            Assert.Contains("nothing to restore: ", await FailAsync(1, ["admin", "restore", .. arguments]));
        Assert.Contains("there is no repository nowhere", await FailAsync(1, "admin", "restore", "list", "nowhere"));
        Assert.Contains("'v1' is not a digest", await FailAsync(2, "gc", "why", "v1"));
    }

    private Task AgeAsync() => _server.QueryAsync<object>(
        $"""
         WITH links AS (UPDATE blob_links SET touched_at = touched_at - {Age}, deleted_at = deleted_at - {Age}, suspect_since = suspect_since - {Age}),
         uploads AS (UPDATE upload_sessions SET expires_at = expires_at - {Age})
         UPDATE manifests SET created_at = created_at - {Age}, touched_at = touched_at - {Age}, deleted_at = deleted_at - {Age}, suspect_since = suspect_since - {Age}
         """);

    private Task<string> DoAsync(params string[] arguments) => Verbs.DoAsync(arguments);

    private Task<string> FailAsync(int expected, params string[] arguments) => Verbs.FailAsync(expected, arguments);
}
