namespace Gantry.Server.Tests.Scale;

/// <summary>What <c>./bench.sh pages</c> does, with fewer tags and all the repositories: what pages read there, not how fast they are.</summary>
[Trait("Speed", "Slow")]
public sealed class PagesRunTests(ITestOutputHelper output)
{
    [Fact]
    public async Task AtTenThousandRepositories_EveryPageReadsByIndex()
    {
        var text = await BenchmarkRun.RunAsync(output, "pages", "--fraction", "0.05", "--pairs", "0");

        Assert.Contains("5000 tags in a repository, 10000 repositories", text, StringComparison.Ordinal);
        Assert.Contains(" plans read, 0 that are no index scan", text, StringComparison.Ordinal);
    }
}
