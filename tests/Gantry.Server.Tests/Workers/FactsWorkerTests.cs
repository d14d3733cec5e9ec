using Gantry.Core.Browse;
using Gantry.Core.Pull;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gantry.Server.Tests.Workers;

/// <summary>A server that runs counts what is pushed to it and pulled from it, and tells that it runs.</summary>
[Trait("Speed", "Slow")]
public sealed class FactsWorkerTests
{
    [Fact]
    public async Task Server_CountsWhatIsPushed_AndWritesPullsAtItsEnd()
    {
        await using var server = await RegistryServer.StartAsync();
        using var client = server.Client();
        await client.PushImageAsync("facts/app", "v", [1, 2, 3]);
        var repository = RepositoryName.Parse("facts/app");
        RepositoryInfo? info = null;
        await UntilAsync(async () => (info = await Service<RepositoryListing>(server).FindAsync(repository, default))?.Tags == 1);
        Assert.Equal(await Service<Usage>(server).OfRepositoryAsync(repository, default), new RepositoryBytes(info!.Size!.Value, info.Own!.Value, info.Reclaimable!.Value, 1, 1));
        await UntilAsync(async () => await ScalarAsync<long>(server, "SELECT count(*) FROM manifest_facts WHERE size IS NOT NULL") == 1);

        Assert.Equal(NodeHealth.Running, Assert.Single(await Service<NodeList>(server).ListAsync(default)).Health);
        await UntilAsync(async () => (await Service<StorageSamples>(server).LatestAsync(default)) is not null);

        (await client.GetAsync("/v2/facts/app/manifests/v")).EnsureSuccessStatusCode();
        (await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/v2/facts/app/manifests/v"))).EnsureSuccessStatusCode();
        await server.RestartAsync();
        Assert.Equal(1, (await Service<RepositoryListing>(server).FindAsync(repository, default))!.Pulls);
        await UntilAsync(async () => (await Service<NodeList>(server).ListAsync(default)).Count == 1);
    }

    [Fact]
    public async Task Server_ThatIsAskedForTooMuch_WritesAtOnce()
    {
        await using var server = await RegistryServer.StartAsync();
        using var client = server.Client();
        await client.PushImageAsync("facts/app", "v", [1, 2, 3]);
        var (counts, repository) = (Service<PullCounts>(server), RepositoryName.Parse("facts/app"));
        counts.Count(repository, "v");
        for (var i = 0; i <= PullCounts.Capacity; i++) counts.Count(repository, $"gone{i}");

        await UntilAsync(async () => await ScalarAsync<long>(server, "SELECT coalesce(max(pulls), 0) FROM tag_pulls") == 1);
    }

    private static T Service<T>(RegistryServer server) where T : notnull => server.Services.GetRequiredService<T>();

    private static async Task<T> ScalarAsync<T>(RegistryServer server, string sql)
    {
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
#pragma warning disable CA2100 // statements of the tests
        await using var command = database.CreateCommand(sql);
#pragma warning restore CA2100
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            Assert.False(limit.IsCancellationRequested, "it never came");
            await Task.Delay(50);
        }
    }
}
