using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>
/// SIGKILL at any instant while several clients push, tag, delete and cancel: of the server, of its PostgreSQL, of both.
/// After each, every acknowledged push holds, uploads go on from where they were, and rows and files agree.
/// </summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed class RandomKillTests(ITestOutputHelper output)
{
    private const int Kills = 58, Workers = 8;

    /// <summary>Every eighth is PostgreSQL's alone: the server must stay up and start it again.</summary>
    private const int PostgresAlone = 8;

    [Fact]
    public async Task Kill_AtAnyInstantOfConcurrentPushes_LosesNothingAcknowledged()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("GANTRY_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"GANTRY_TEST_SEED={seed} makes the clients do the same again; the kernel's share stays its own");
        var random = new Random(seed);
        var workers = Enumerable.Range(0, Workers).Select(number => new CrashWorker(number, seed + number)).ToList();
        var (serverKills, postgresKills) = (0, 0);

        await using var registry = new RestartableRegistry();
        await registry.StartAsync();
        for (var kill = 0; kill < Kills; kill++)
        {
            using var end = new CancellationTokenSource();
            var work = workers.ConvertAll(worker => worker.WorkAsync(registry.Client, end.Token));
            var before = workers.Sum(worker => worker.Done);
            while (workers.Sum(worker => worker.Done) == before) await Task.WhenAny([Task.Delay(5), .. work]);
            await Task.Delay(random.Next(300));

            var server = kill % PostgresAlone != 0;
            var postgres = !server || random.Next(3) == 0;
            var database = registry.Postgres.ProcessId;
            if (postgres) KillPostgres(registry, random);
            if (server) await registry.Server.KillAsync();
            (serverKills, postgresKills) = (serverKills + (server ? 1 : 0), postgresKills + (postgres ? 1 : 0));
            await end.CancelAsync();
            await Task.WhenAll(work);

            if (server) await registry.StartAsync();
            else await registry.UntilPostgresIsBackAsync(database);
            try
            {
                await Task.WhenAll(workers.Select(worker => worker.VerifyAsync(registry.Client)));
                await StoreInvariants.CheckAsync(registry);
            }
            catch
            {
                output.WriteLine($"after kill {kill + 1} (server: {server}, PostgreSQL: {postgres}):\n{registry.Server.Output}");
                throw;
            }
        }

        await registry.ExecuteAsync("UPDATE upload_sessions SET expires_at = now() - interval '1 second'");
        Assert.Equal(0, await registry.Server.StopAsync());
        await registry.StartAsync();
        await StoreInvariants.CheckNothingIsLeftAsync(registry);
        await Task.WhenAll(workers.Select(worker => worker.VerifyAsync(registry.Client)));
        output.WriteLine($"{serverKills} kills of the server, {postgresKills} of PostgreSQL; {workers.Sum(worker => worker.Done)} " +
            $"acknowledged steps, {workers.Sum(worker => worker.Resumed)} uploads went on");
        Assert.True(serverKills >= 50, $"only {serverKills} kills of the server");
    }

    // The postmaster alone leaves its children to notice; all at once is what a power cut looks like.
    private static void KillPostgres(RestartableRegistry registry, Random random)
    {
        if (random.Next(2) == 0) registry.Postgres.Signal(ServerProcess.SigKill);
        else registry.Postgres.SignalAll(ServerProcess.SigKill);
    }
}
