using System.Net;
using Gantry.Server.Tests.Scrub;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>
/// The process ends between any two steps of a scrub: the blob is quarantined with its event or neither is there, whoever comes
/// next finds it all the same, and a push heals.
/// </summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed class ScrubFailpointTests(FailpointRegistry shared) : IClassFixture<FailpointRegistry>
{
    private const string Repository = "faults/scrub";
    private readonly RestartableRegistry _registry = shared.Registry;

    [Theory]
    [InlineData("scrub-claimed", false)]
    [InlineData("scrub-read", false)]
    [InlineData("scrub-judged", false)]
    [InlineData("scrub-written", false)]
    [InlineData("scrub-committed", true)]
    public async Task Scrub_EndedBetweenTwoSteps_IsDoneByWhoeverComesNext(string failpoint, bool isQuarantined)
    {
        await shared.ServeAsync();
        var (sound, content) = (UploadSteps.NewContent(1000), UploadSteps.NewContent(50_000));
        await _registry.Client.PushBlobAsync(Repository, sound);
        shared.Acknowledge(Repository, sound);
        var digest = await _registry.Client.PushBlobAsync(Repository, content);
        var location = await OneAsync<string>($"SELECT location FROM blobs WHERE digest = '{digest}'");
        Rot.Flip(new FileInfo(Path.Combine(_registry.Store, location)));
        await shared.KillAsync();
        await DueAsync();

        // It happens at the start, perhaps before anything can be asked.
        Assert.Equal(128 + ServerProcess.SigKill, await _registry.Launch(failpoint).WaitForExitAsync());
        Assert.Equal(isQuarantined ? 1 : 0, await CountAsync());
        Assert.Equal(isQuarantined, await OneAsync<bool>($"SELECT quarantined_at IS NOT NULL FROM blobs WHERE digest = '{digest}'"));

        // The claim ran out.
        await DueAsync();
        await shared.StartAgainAsync();
        await UploadSteps.UntilAsync(async () => await CountAsync() == 1, "the quarantine");
        using var hidden = await _registry.Client.GetAsync($"/v2/{Repository}/blobs/{digest}");
        Assert.Equal(HttpStatusCode.NotFound, hidden.StatusCode);

        await _registry.Client.PushBlobAsync(Repository, content);
        shared.Acknowledge(Repository, content);
        await shared.CheckAcknowledgedAsync();
        await StoreInvariants.CheckAsync(_registry);

        Task<long> CountAsync() => OneAsync<long>($"SELECT count(*) FROM events WHERE kind = 'blob.quarantine' AND digest = '{digest}'");
        Task DueAsync() => _registry.ExecuteAsync($"UPDATE blobs SET scrub_at = now() WHERE digest = '{digest}'");
    }

    private async Task<T> OneAsync<T>(string sql) => Assert.Single(await _registry.QueryAsync(sql, row => row.GetFieldValue<T>(0)));
}
