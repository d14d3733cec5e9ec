using System.Globalization;
using Gantry.Server.Tests.Faults;
using Gantry.Server.Tests.Nodes;

namespace Gantry.Server.Tests.Chaos;

/// <summary>Never lose a byte: everything at once, and then the registry compared with what it said. See the README.</summary>
[Collection(nameof(SeveralNodes))]
[Trait("Speed", "Slow")]
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const int FixedSeed = 20261121;

    [Theory]
    [InlineData(Backend.FileSystem)]
    [InlineData(Backend.S3)]
    public async Task Registry_AfterAnything_IsWhatItsAnswersSaid(Backend backend)
    {
        var seed = Setting("GANTRY_CHAOS_SEED", FixedSeed);
        await using var run = await ChaosRun.StartAsync(backend, seed);
        try
        {
            await run.RunAsync(TimeSpan.FromSeconds(Setting("GANTRY_CHAOS_SECONDS", 45)));
        }
        catch (Exception fault)
        {
            var log = run.Keep();
            Assert.Fail($"GANTRY_CHAOS_SEED={seed}: {fault.Message}\n{run.Summary()}\nThe log of all operations: {log}\n{fault}");
        }

        output.WriteLine(run.Summary());
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
