using Gantry.TestKit;

namespace Gantry.Server.Tests.Scale;

/// <summary>
/// What every request under /v2 asks of PostgreSQL, at a hundredth of the size that <c>./bench.sh scale</c> asks at.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class QueryPlanTests
{
    [Fact]
    public async Task EveryRequest_ReadsByIndex()
    {
        await using var scale = await ScaleDatabase.StartAsync(0.01);
        await scale.ExplainAsync();
        var folder = Directory.CreateTempSubdirectory("gantry-test-");
        try
        {
            await using var server = ServerProcess.Launch(folder.FullName,
            [
                "serve", "--urls=http://127.0.0.1:0", $"--Data:Root={folder.FullName}", $"--ConnectionStrings:Registry={scale.ConnectionString}",
                $"--Access:AdminPassword={RegistryServer.Password}", "--Access:PasswordHashIterations=100000",
            ]);
            using var client = new HttpClient { BaseAddress = await server.ListeningAsync() };
            client.DefaultRequestHeaders.Authorization = RegistryServer.Basic("admin", RegistryServer.Password);

            // The sixth time a prepared statement may run with a plan for any parameters: that one counts too.
            var requests = new ScaleRequests(client, scale);
            for (var round = 0; round < 8; round++) await requests.RunAsync();

            var (plans, faults) = QueryPlans.Check(await File.ReadAllTextAsync(scale.LogFile));
            Assert.True(plans > 300, $"only {plans} plans were logged: PostgreSQL needs its auto_explain (Debian: postgresql, or postgresql-contrib)");
            Assert.True(faults.Count == 0, string.Join('\n', faults));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
