using System.Diagnostics;
using System.Net;
using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Server.Tests.Faults;

/// <summary>
/// A database that hangs, dies or is stopped: 503 in the envelope within a bounded time, the process stays, and when the
/// database is back so is everything else, uploads included.
/// </summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed class LostDatabaseTests(ITestOutputHelper output)
{
    private const string Repository = "lost/database";

    /// <summary>9 s for a statement, 5 s for the attempt to cancel it, and what a busy machine adds.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(19);

    private readonly byte[] _content = UploadSteps.NewContent(100_000);
    private string _location = "";

    [Fact]
    public async Task HangingDatabase_Answers503InTime_AndGoesOn()
    {
        await using var registry = new RestartableRegistry();
        await registry.StartAsync();
        await PrepareAsync(registry.Client);

        registry.Postgres.SignalAll(ServerProcess.SigStop);
        try
        {
            await RefusesEverythingAsync(registry);
        }
        finally
        {
            registry.Postgres.SignalAll(ServerProcess.SigContinue);
        }

        await GoesOnAsync(registry);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task KilledPrivateDatabase_IsStartedAgain(bool allAtOnce)
    {
        await using var registry = new RestartableRegistry();
        await registry.StartAsync();
        await PrepareAsync(registry.Client);

        if (allAtOnce) registry.Postgres.SignalAll(ServerProcess.SigKill);
        else registry.Postgres.Signal(ServerProcess.SigKill);

        // Until it is back: served or refused, never a fault.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        for (var served = 0; served < 20;)
        {
            Assert.False(limit.IsCancellationRequested, registry.Server.Output);
            using var answer = await registry.Client.GetAsync($"/v2/{Repository}/manifests/v1");
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable });
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) Assert.Equal("UNAVAILABLE", await answer.ErrorCodeAsync());
            served = answer.StatusCode == HttpStatusCode.OK ? served + 1 : 0;
        }

        await GoesOnAsync(registry);
    }

    [Fact]
    public async Task StoppedExternalDatabase_IsWaitedFor()
    {
        var folder = Directory.CreateTempSubdirectory("gantry-external-");
        var database = await ExternalAsync(folder);
        try
        {
            await using var registry = new RestartableRegistry
            {
                Settings = ["Access:Anonymous=Full", "Access:AdminPassword=test-password", $"ConnectionStrings:Registry={database.ConnectionString}"],
            };
            await registry.StartAsync();
            Assert.Null(registry.Postgres.ProcessId);
            await PrepareAsync(registry.Client);

            await database.DisposeAsync();
            await RefusesEverythingAsync(registry);

            database = await ExternalAsync(folder);
            await GoesOnAsync(registry);

            // Without it there is no start either, and the reason is one line.
            Assert.Equal(0, await registry.Server.StopAsync());
            await database.DisposeAsync();
            Assert.Equal(1, await registry.Launch(null).WaitForExitAsync());
            Assert.StartsWith("gantry-server: ", registry.Server.Errors);
            Assert.DoesNotContain("   at ", registry.Server.Errors);
        }
        finally
        {
            await database.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }

    private static Task<LocalPostgres> ExternalAsync(DirectoryInfo folder) => LocalPostgres.StartAsync(
        new LocalPostgresOptions { DataRoot = folder.FullName }, NullLogger.Instance, TimeProvider.System, CancellationToken.None);

    private async Task PrepareAsync(HttpClient client)
    {
        await client.PushImageAsync(Repository, "v1", UploadSteps.NewContent(1000));
        _location = await client.StartUploadAsync(Repository);
        using var chunk = await client.SendChunkAsync(_location, _content[..60_000]);
        Assert.Equal(HttpStatusCode.Accepted, chunk.StatusCode);
    }

    private async Task RefusesEverythingAsync(RestartableRegistry registry)
    {
        var client = registry.Client;
        var began = Stopwatch.StartNew();
        var requests = new Dictionary<string, Task<HttpResponseMessage>>(StringComparer.Ordinal)
        {
            ["GET a tag"] = client.GetAsync($"/v2/{Repository}/manifests/v1"),
            ["GET tags"] = client.GetAsync($"/v2/{Repository}/tags/list"),
            ["GET a blob"] = client.GetAsync($"/v2/{Repository}/blobs/{Digest.Of(RegistryClient.EmptyConfig)}"),
            ["GET an upload"] = client.GetAsync(_location),
            ["POST an upload"] = client.PostAsync($"/v2/{Repository}/blobs/uploads/", null),
            ["PATCH"] = client.SendChunkAsync(_location, _content[60_000..]),
            ["PUT a manifest"] = client.PutAsync($"/v2/{Repository}/manifests/v2",
                RegistryClient.Bytes(System.Text.Encoding.UTF8.GetBytes(RegistryClient.ImageJson([])), MediaTypes.OciManifest)),
            ["DELETE a tag"] = client.DeleteAsync($"/v2/{Repository}/manifests/v1"),
        };
        var ready = registry.ReadyAsync();
        using (var live = await client.GetAsync("/healthz/live")) Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        foreach (var (what, request) in requests)
        {
            using var answer = await request;
            Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable, $"{what}: {answer.StatusCode}\n{registry.Server.Output}");
            Assert.Equal("UNAVAILABLE", await answer.ErrorCodeAsync());
            Assert.True(answer.Headers.RetryAfter is not null, $"{what}: no Retry-After");
        }

        Assert.Equal(503, await ready);
        output.WriteLine($"all refused after {began.Elapsed.TotalSeconds:0.0} s");
        Assert.True(began.Elapsed < Bound, $"refused only after {began.Elapsed}");
        Assert.False(registry.Server.HasExited);
    }

    /// <summary>By itself: nothing is restarted, and the upload says honestly where it stands.</summary>
    private async Task GoesOnAsync(RestartableRegistry registry)
    {
        await registry.UntilReadyAsync();
        // A statement that had reached a hanging database before it was given up may still have run.
        var tag = await registry.Client.FindTagAsync(Repository, "v1");
        if (tag is null) await registry.Client.PushManifestAsync(Repository, "v1", RegistryClient.ImageJson([]));

        var offset = int.Parse((await registry.Client.RangeOfAsync(_location)).Split('-')[1]) + 1;
        Assert.Contains(offset, new[] { 60_000, _content.Length });
        using var put = await registry.Client.CloseAsync(_location, Digest.Of(_content), _content[offset..]);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(_content, await registry.Client.FindBlobAsync(Repository, Digest.Of(_content)));
        await registry.Client.PushImageAsync(Repository, "v3", UploadSteps.NewContent(1000));
    }
}
