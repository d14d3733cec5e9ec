using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>A disk that is really full, under the blobs or under the database: refused in the envelope, and over once there is room.</summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed class FullDiskTests
{
    private const string Repository = "full/disk";

    [Fact]
    public async Task FullStore_Answers507_KeepsServing_AndGoesOnOnceThereIsRoom()
    {
        await using var registry = new RestartableRegistry();
        await registry.MountAsync(registry.Store, megabytes: 12);
        await registry.StartAsync();
        var first = UploadSteps.NewContent(500_000);
        await registry.Client.PushBlobAsync(Repository, first);
        var content = UploadSteps.NewContent(9_000_000);
        var location = await registry.Client.StartUploadAsync(Repository);
        using (var chunk = await registry.Client.SendChunkAsync(location, content[..2_000_000]))
            Assert.Equal(HttpStatusCode.Accepted, chunk.StatusCode);

        Fill(registry.Store, leave: 3_000_000);
        using (var refused = await registry.Client.SendChunkAsync(location, content[2_000_000..]))
            await IsRefusedAsync(refused, HttpStatusCode.InsufficientStorage);
        Fill(registry.Store, leave: 0);
        using (var refused = await registry.Client.SendChunkAsync(location, content[2_000_000..], "2000000-8999999"))
            Assert.Contains(refused.StatusCode, new[] { HttpStatusCode.InsufficientStorage, HttpStatusCode.RequestedRangeNotSatisfiable });

        // What is there is served; only the probe that asks whether more can come says no.
        Assert.Equal(first, await registry.Client.FindBlobAsync(Repository, Digest.Of(first)));
        Assert.Equal(503, await registry.ReadyAsync());
        using (var live = await registry.Client.GetAsync("/healthz/live")) Assert.Equal(HttpStatusCode.OK, live.StatusCode);

        Empty(registry.Store);
        await registry.UntilReadyAsync();

        // The upload stands where it says, at or behind what was acknowledged, and goes on from there.
        var offset = int.Parse((await registry.Client.RangeOfAsync(location)).Split('-')[1], CultureInfo.InvariantCulture) + 1;
        Assert.InRange(offset, 2_000_000, content.Length);
        using (var put = await registry.Client.CloseAsync(location, Digest.Of(content), content[offset..]))
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(content, await registry.Client.FindBlobAsync(Repository, Digest.Of(content)));
        await StoreInvariants.CheckAsync(registry);
        Assert.False(registry.Server.HasExited);
    }

    [Fact]
    public async Task FullStore_IsFreedByCancellingTheUploadThatFilledIt()
    {
        await using var registry = new RestartableRegistry();
        await registry.MountAsync(registry.Store, megabytes: 8);
        await registry.StartAsync();
        var location = await registry.Client.StartUploadAsync(Repository);
        using (var refused = await registry.Client.SendChunkAsync(location, UploadSteps.NewContent(20_000_000)))
            await IsRefusedAsync(refused, HttpStatusCode.InsufficientStorage);
        using (var single = await registry.Client.PostAsync($"/v2/{Repository}/blobs/uploads/?digest={Digest.Of(new byte[3_000_000])}",
            RegistryClient.Bytes(new byte[3_000_000])))
            await IsRefusedAsync(single, HttpStatusCode.InsufficientStorage);

        using (var cancel = await registry.Client.DeleteAsync(location)) Assert.Equal(HttpStatusCode.NoContent, cancel.StatusCode);

        Assert.Equal(200, await registry.ReadyAsync());
        var content = UploadSteps.NewContent(5_000_000);
        await registry.Client.PushBlobAsync(Repository, content);
        Assert.Equal(content, await registry.Client.FindBlobAsync(Repository, Digest.Of(content)));
        await StoreInvariants.CheckNothingIsLeftAsync(registry);
    }

    /// <summary>
    /// First a table cannot grow (an error of one statement), then the write-ahead log cannot (PostgreSQL ends itself and
    /// cannot start again until there is room).
    /// </summary>
    [Fact]
    public async Task FullDatabase_Answers503_KeepsTheProcess_AndGoesOnOnceThereIsRoom()
    {
        await using var registry = new RestartableRegistry { StoreRoot = Path.Combine(Path.GetTempPath(), $"gantry-store-{Guid.NewGuid():N}") };
        try
        {
            await registry.MountAsync(registry.DataRoot, megabytes: 200);
            await registry.StartAsync();
            var before = await registry.Client.PushImageAsync(Repository, "v1", UploadSteps.NewContent(1000));

            Fill(registry.DataRoot, leave: 0);
            using (var refused = await PushLargeManifestAsync(registry.Client))
                await IsRefusedAsync(refused, HttpStatusCode.ServiceUnavailable);
            await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(async () =>
            {
                for (var segment = 0; segment < 20; segment++)
                    await registry.ExecuteAsync("SELECT txid_current(); SELECT pg_switch_wal()");
            });
            using (var refused = await PushLargeManifestAsync(registry.Client))
                await IsRefusedAsync(refused, HttpStatusCode.ServiceUnavailable);
            await UploadSteps.UntilAsync(async () => await registry.ReadyAsync() == 503, "not ready while the log cannot be written");
            using (var live = await registry.Client.GetAsync("/healthz/live")) Assert.Equal(HttpStatusCode.OK, live.StatusCode);

            Empty(registry.DataRoot);
            await registry.UntilReadyAsync();
            Assert.Equal(before.ToString(), await registry.Client.FindTagAsync(Repository, "v1"));
            using (var taken = await PushLargeManifestAsync(registry.Client)) Assert.Equal(HttpStatusCode.Created, taken.StatusCode);
            Assert.False(registry.Server.HasExited);
            await registry.Server.KillAsync();
        }
        finally
        {
            if (Directory.Exists(registry.StoreRoot)) Directory.Delete(registry.StoreRoot, recursive: true);
        }
    }

    // Three megabytes that do not compress, so that the table has to grow.
    private static Task<HttpResponseMessage> PushLargeManifestAsync(HttpClient client)
    {
        var noise = Convert.ToBase64String(RandomNumberGenerator.GetBytes(2_200_000));
        var json = RegistryClient.ImageJson([], annotations: new Dictionary<string, string> { ["noise"] = noise });
        return client.PutAsync($"/v2/{Repository}/manifests/large", RegistryClient.Bytes(System.Text.Encoding.UTF8.GetBytes(json), MediaTypes.OciManifest));
    }

    private static async Task IsRefusedAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("UNAVAILABLE", await answer.ErrorCodeAsync());
    }

    private static void Fill(string folder, int leave)
    {
        // Another ballast each time: the one before is not written to again.
        using var ballast = File.Create(Path.Combine(folder, $"ballast-{Guid.NewGuid():N}"), bufferSize: 1);
        var free = new DriveInfo(folder).AvailableFreeSpace - leave;
        var page = new byte[4096];
        try
        {
            for (long written = 0; leave == 0 || written < free; written += page.Length) ballast.Write(page);
        }
        catch (IOException) when (leave == 0)
        {
            // Full to the last page.
        }
    }

    private static void Empty(string folder)
    {
        foreach (var ballast in Directory.GetFiles(folder, "ballast-*")) File.Delete(ballast);
    }
}
