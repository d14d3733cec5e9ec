using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>
/// The process ends between any two steps of a flow, is started again, and: whatever was acknowledged at any time is
/// there byte for byte, nothing half-written shows, the client can go on, and no file stays without an owner.
/// </summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed class FailpointTests(FailpointRegistry shared) : IClassFixture<FailpointRegistry>
{
    private const string Repository = "faults/failpoints";
    private readonly RestartableRegistry _registry = shared.Registry;

    public static TheoryData<string> PushSteps =>
    [
        "upload-recorded", "staging-created",
        "append-buffer-written", "append-buffer-written:3", "append-written", "append-written:2",
        "checkpoint-file-durable", "checkpoint-durable", "checkpoint-durable:2", "append-recorded", "append-recorded:2",
        "close-received", "close-digest-compared",
        "commit-sealed", "commit-renamed", "commit-location-durable", "commit-directories-durable", "close-bytes-committed",
        "close-session-ended", "close-blob-written", "close-rows-written", "close-rows-committed", "close-done",
    ];

    [Theory]
    [MemberData(nameof(PushSteps))]
    public async Task Push_EndedBetweenTwoSteps_IsWholeOrGoesOn(string failpoint)
    {
        var upload = new ChunkedPush(Repository, UploadSteps.NewContent(700_000));
        await DieAsync(failpoint, client => upload.RunAsync(client));
        await StartAgainAsync(upload);

        // Nothing or all of it.
        var before = await _registry.Client.FindBlobAsync(Repository, upload.Digest);
        Assert.True(before is null || before.AsSpan().SequenceEqual(upload.Content), "half a blob is served");

        // The client goes on with what it knows.
        await upload.GoOnAsync(_registry.Client);
        await upload.CloseAgainAsync(_registry.Client);
        shared.Acknowledge(Repository, upload.Content);
        await CheckAsync();
    }

    [Theory]
    [InlineData("close-rows-written")]
    [InlineData("close-rows-committed")]
    [InlineData("discard-staging-removed")]
    [InlineData("sweep-bytes-deleted")]
    [InlineData("close-done")]
    public async Task PushOfABlobThatIsThere_EndedBetweenTwoSteps_KeepsOneCopy(string failpoint)
    {
        var content = UploadSteps.NewContent(300_000);
        await ServeAsync();
        await _registry.Client.PushBlobAsync($"{Repository}-first", content);
        shared.Acknowledge($"{Repository}-first", content);

        var upload = new ChunkedPush(Repository, content);
        await DieAsync(failpoint, client => upload.RunAsync(client));
        await StartAgainAsync(upload);

        await upload.GoOnAsync(_registry.Client);
        shared.Acknowledge(Repository, content);
        await CheckAsync();
    }

    [Theory]
    [InlineData("close-bytes-committed", false)]
    [InlineData("close-rows-committed", true)]
    public async Task SinglePost_EndedBetweenTwoSteps_LeavesNothingWithoutAnOwner(string failpoint, bool isThere)
    {
        var content = UploadSteps.NewContent(200_000);
        await DieAsync(failpoint, client => client.PostAsync(
            $"/v2/{Repository}/blobs/uploads/?digest={Digest.Of(content)}", RegistryClient.Bytes(content)));
        await StartAgainAsync(null);

        Assert.Equal(isThere ? content : null, await _registry.Client.FindBlobAsync(Repository, Digest.Of(content)));
        await CheckAsync();
    }

    [Theory]
    [InlineData("manifest-references-locked", false)]
    [InlineData("manifest-inserted", false)]
    [InlineData("manifest-references-written", false)]
    [InlineData("manifest-tags-moved", false)]
    [InlineData("manifest-rows-written", false)]
    [InlineData("manifest-committed", true)]
    public async Task PushManifest_EndedBetweenTwoSteps_IsWholeOrAbsent(string failpoint, bool isThere)
    {
        var layer = UploadSteps.NewContent(10_000);
        var (first, json) = (Encoding.UTF8.GetBytes(RegistryClient.ImageJson([])), RegistryClient.ImageJson([layer]));
        await ServeAsync();
        await _registry.Client.PushImageAsync(Repository, "v", []);
        await _registry.Client.PushBlobAsync(Repository, layer);
        shared.Acknowledge(Repository, layer);
        shared.AcknowledgeManifest(Repository, first);

        await DieAsync(failpoint, client => client.PushManifestAsync(Repository, "v", json));
        await StartAgainAsync(null);

        // The tag and the manifest moved together or not at all.
        var (digest, old) = (Digest.Of(Encoding.UTF8.GetBytes(json)), Digest.Of(first));
        Assert.Equal((isThere ? digest : old).ToString(), await _registry.Client.FindTagAsync(Repository, "v"));
        Assert.Equal(isThere ? digest.ToString() : null, await _registry.Client.FindTagAsync(Repository, digest.ToString()));

        await _registry.Client.PushManifestAsync(Repository, "v", json);
        shared.AcknowledgeManifest(Repository, Encoding.UTF8.GetBytes(json));
        Assert.Equal(digest.ToString(), await _registry.Client.FindTagAsync(Repository, "v"));
        await CheckAsync();
    }

    [Theory]
    [InlineData("mount-written", false)]
    public async Task Mount_EndedBetweenTwoSteps_IsWholeOrAbsent(string failpoint, bool isThere)
    {
        var content = UploadSteps.NewContent(1000);
        await ServeAsync();
        await _registry.Client.PushBlobAsync(Repository, content);
        shared.Acknowledge(Repository, content);

        var mount = $"/v2/{Repository}-mounted/blobs/uploads/?mount={Digest.Of(content)}&from={Repository}";
        await DieAsync(failpoint, client => client.PostAsync(mount, null));
        await StartAgainAsync(null);

        Assert.Equal(isThere ? content : null, await _registry.Client.FindBlobAsync($"{Repository}-mounted", Digest.Of(content)));
        using var again = await _registry.Client.PostAsync(mount, null);
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        shared.Acknowledge($"{Repository}-mounted", content);
        await CheckAsync();
    }

    [Theory]
    [InlineData("tag", "removal-written")]
    [InlineData("tag", "removal-committed")]
    [InlineData("manifest", "removal-written")]
    [InlineData("manifest", "removal-committed")]
    [InlineData("blob", "removal-written")]
    [InlineData("blob", "removal-committed")]
    public async Task Delete_EndedBetweenTwoSteps_IsDoneOrNot(string what, string failpoint)
    {
        var repository = $"{Repository}-{what}-{failpoint}";
        var content = UploadSteps.NewContent(1000);
        await ServeAsync();
        var manifest = await _registry.Client.PushImageAsync(repository, "v", []);
        var blob = await _registry.Client.PushBlobAsync(repository, content);
        var path = what switch
        {
            "tag" => $"/v2/{repository}/manifests/v",
            "manifest" => $"/v2/{repository}/manifests/{manifest}",
            _ => $"/v2/{repository}/blobs/{blob}",
        };

        await DieAsync(failpoint, client => client.DeleteAsync(path));
        await StartAgainAsync(null);

        using var after = await _registry.Client.GetAsync(path);
        Assert.Equal(failpoint == "removal-committed" ? HttpStatusCode.NotFound : HttpStatusCode.OK, after.StatusCode);
        using var again = await _registry.Client.DeleteAsync(path);
        Assert.Equal(failpoint == "removal-committed" ? HttpStatusCode.NotFound : HttpStatusCode.Accepted, again.StatusCode);
        await CheckAsync();
    }

    [Theory]
    [InlineData("cancel-written")]
    [InlineData("cancel-committed")]
    [InlineData("discard-staging-removed")]
    [InlineData("sweep-bytes-deleted")]
    public async Task Cancel_EndedBetweenTwoSteps_IsDoneOrNot(string failpoint)
    {
        string location = "";
        await DieAsync(failpoint, async client =>
        {
            location = await client.StartUploadAsync(Repository);
            using var chunk = await client.SendChunkAsync(location, UploadSteps.NewContent(5000));
            await client.DeleteAsync(location);
        });
        await StartAgainAsync(null, expire: false);

        using var status = await _registry.Client.GetAsync(location);
        Assert.Equal(failpoint == "cancel-written" ? HttpStatusCode.NoContent : HttpStatusCode.NotFound, status.StatusCode);
        using var again = await _registry.Client.DeleteAsync(location);
        Assert.Equal(status.StatusCode, again.StatusCode);
        await CheckAsync();
    }

    [Theory]
    [InlineData("expiry-written")]
    [InlineData("discard-staging-removed")]
    [InlineData("sweep-bytes-deleted")]
    public async Task Expiry_EndedBetweenTwoSteps_IsDoneByTheNextStart(string failpoint)
    {
        await ServeAsync();
        using var chunk = await _registry.Client.SendChunkAsync(
            await _registry.Client.StartUploadAsync(Repository), UploadSteps.NewContent(5000));
        await _registry.Server.KillAsync();
        await ExpireAsync();

        // It happens at the start, perhaps before anything can be asked.
        Assert.Equal(128 + ServerProcess.SigKill, await _registry.Launch(failpoint).WaitForExitAsync());
        await StartAgainAsync(null);
        await CheckAsync();
    }

    public static TheoryData<string> CollectionSteps =>
    [
        "review-manifests-locked", "review-manifests-released", "review-manifests-handed-on", "review-manifests-removed",
        "review-links-locked", "review-links-released", "review-links-blobs-locked", "review-links-removed", "review-links-handed-on",
        "review-blobs-locked", "review-blobs-removed", "review-blobs-released",
        "retention-locked", "retention-written", "orphans-shard-taken", "orphans-listed", "orphans-asked", "orphans-doomed",
        "sweep-claimed", "sweep-one-deleted", "sweep-bytes-deleted", "sweep-done",
    ];

    /// <summary>Collecting is done by <c>gantry-server gc</c>; the server beside it keeps its hands off.</summary>
    [Theory]
    [MemberData(nameof(CollectionSteps))]
    public async Task Collection_EndedBetweenTwoSteps_IsDoneByTheNextRun(string failpoint)
    {
        var repository = $"{Repository}-gc-{failpoint}";
        var (doomed, kept) = (UploadSteps.NewContent(2000), UploadSteps.NewContent(2000));
        await shared.ServeAsync(collects: false);
        var gone = await _registry.Client.PushImageAsync(repository, "v", doomed);
        await _registry.Client.PushImageAsync(repository, "kept", kept);
        var untagged = await _registry.Client.PushImageAsync($"{repository}/untagged", null, kept);
        shared.Acknowledge(repository, kept);
        (await _registry.Client.DeleteAsync($"/v2/{repository}/manifests/{gone}")).EnsureSuccessStatusCode();
        var orphan = $"{Guid.NewGuid():N}";
        await File.WriteAllTextAsync(Path.Combine(_registry.Store, "blobs", orphan[^2..], orphan), "orphan");
        // Only what this case is about; what others acknowledged is none of its business.
        await _registry.ExecuteAsync(
            $"""
             WITH mine AS (SELECT id FROM repositories WHERE name LIKE '{repository}%'),
             links AS (UPDATE blob_links SET touched_at = touched_at - interval '2 days', suspect_since = suspect_since - interval '2 days' WHERE repository_id IN (TABLE mine))
             UPDATE manifests SET created_at = created_at - interval '2 days', touched_at = touched_at - interval '2 days',
                 deleted_at = deleted_at - interval '2 days', suspect_since = suspect_since - interval '2 days' WHERE repository_id IN (TABLE mine)
             """);

        string[] gc =
        [
            "gc", $"--Storage:FileSystem:Root={_registry.Store}", "--Gc:ByteDelay=00:00:00", "--Gc:MaxShare=1", "--Gc:MaxPerSecond=100000",
            $"--Gc:Retention:0:Repositories={repository}/*", "--Gc:Retention:0:UntaggedAfter=1.00:00:00",
        ];
        var died = await _registry.RunAsync(gc, failpoint: failpoint);
        Assert.True(died.ExitCode == 128 + ServerProcess.SigKill, $"{failpoint} was not where it ended ({died.ExitCode}): {died.Output}{died.Errors}");
        await StoreInvariants.CheckAsync(_registry, orphan);

        // What it had claimed comes free after a while.
        await _registry.ExecuteAsync("UPDATE doomed_locations SET delete_after = now()");
        var done = await _registry.RunAsync(gc);
        Assert.True(done.ExitCode == 0, done.Output + done.Errors);
        Assert.Null(await _registry.Client.FindBlobAsync(repository, Digest.Of(doomed)));
        Assert.Null(await _registry.Client.FindTagAsync($"{repository}/untagged", untagged.ToString()));
        Assert.False(File.Exists(Path.Combine(_registry.Store, "blobs", orphan[^2..], orphan)));
        await CheckAsync();
    }

    [Theory]
    [InlineData("restore-manifests-locked", false)]
    [InlineData("restore-locked", false)]
    [InlineData("restore-links-written", false)]
    [InlineData("restore-manifests-written", false)]
    [InlineData("restore-tags-written", false)]
    [InlineData("restore-written", false)]
    [InlineData("restore-committed", true)]
    public async Task Restore_EndedBetweenTwoSteps_IsDoneOrNot(string failpoint, bool isThere)
    {
        var repository = $"{Repository}-{failpoint}";
        var layer = UploadSteps.NewContent(1000);
        await ServeAsync();
        var image = await _registry.Client.PushImageAsync(repository, "v", layer);
        var bytes = await _registry.Client.GetByteArrayAsync($"/v2/{repository}/manifests/v");
        foreach (var path in (string[])[$"manifests/{image}", $"blobs/{Digest.Of(layer)}"])
            (await _registry.Client.DeleteAsync($"/v2/{repository}/{path}")).EnsureSuccessStatusCode();

        string[] restore = ["admin", "restore", "manifest", repository, image.ToString()];
        Assert.Equal(128 + ServerProcess.SigKill, (await _registry.RunAsync(restore, failpoint: failpoint)).ExitCode);

        // All of it or nothing.
        Assert.Equal(isThere ? image.ToString() : null, await _registry.Client.FindTagAsync(repository, "v"));
        Assert.Equal(isThere ? layer : null, await _registry.Client.FindBlobAsync(repository, Digest.Of(layer)));
        var again = await _registry.RunAsync(restore);
        Assert.Equal(isThere ? 1 : 0, again.ExitCode);
        Assert.Equal(bytes, await _registry.Client.GetByteArrayAsync($"/v2/{repository}/manifests/v"));
        shared.Acknowledge(repository, layer);
        shared.AcknowledgeManifest(repository, bytes);
        await CheckAsync();
    }

    /// <summary>Does the work at a server with the failpoint, and makes sure that the process ended right there.</summary>
    private async Task DieAsync(string failpoint, Func<HttpClient, Task> workAsync)
    {
        await ServeAsync();
        _registry.Arm(failpoint);
        try
        {
            await workAsync(_registry.Client);
        }
        catch (HttpRequestException)
        {
            // The connection went away with the process.
        }

        Assert.True(await Task.WhenAny(_registry.Server.WaitForExitAsync(), Task.Delay(10_000)) is Task<int>,
            $"{failpoint} was never reached");
        Assert.Equal(128 + ServerProcess.SigKill, await _registry.Server.WaitForExitAsync());
    }

    /// <summary>PostgreSQL outlived the server, and the next start takes it over.</summary>
    private async Task StartAgainAsync(ChunkedPush? upload, bool expire = true)
    {
        // What its client was never told about, or gave up, expires; so the clean-up of this start has to find it.
        if (expire && upload?.Location is null) await ExpireAsync();
        await shared.StartAgainAsync();
        await StoreInvariants.CheckAsync(_registry);
    }

    private Task ServeAsync() => shared.ServeAsync();

    private Task ExpireAsync() => _registry.ExecuteAsync("UPDATE upload_sessions SET expires_at = now() - interval '1 second'");

    private async Task CheckAsync()
    {
        await shared.CheckAcknowledgedAsync();
        await StoreInvariants.CheckNothingIsLeftAsync(_registry);
    }
}
