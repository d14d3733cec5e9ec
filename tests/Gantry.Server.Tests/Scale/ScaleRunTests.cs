namespace Gantry.Server.Tests.Scale;

/// <summary>What <c>./bench.sh scale</c> does, at a hundredth of its size: what has to be right there, not how fast it is.</summary>
[Trait("Speed", "Slow")]
public sealed class ScaleRunTests(ITestOutputHelper output)
{
    [Fact]
    public async Task AtAHundredth_EveryRequestReadsByIndex_AllThatIsDeadGoes_AndS3TakesLayers()
    {
        var text = await BenchmarkRun.RunAsync(output, "scale", "--fraction", "0.01", "--pairs", "1", "--seconds", "1");

        Assert.Contains("10000 blobs, 2000 manifests, 1000 tags", text);
        Assert.Matches(@"a GET by tag reads ([0-9]+) pages among 1000 tags, \1 among 100", text);
        Assert.Contains(" plans read, 0 that are no index scan", text);
        Assert.Contains("1000 of 1000 dead blobs are gone", text);
        Assert.Contains("| push 10 MiB | ", text);
        Assert.Contains("| pull 10 MiB | ", text);
    }
}
