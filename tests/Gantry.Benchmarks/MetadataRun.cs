using System.Diagnostics;
using Gantry.TestKit;

namespace Gantry.Benchmarks;

/// <summary>
/// A repository of 200,000 manifests and 100,000 tags among a million blobs: every request's plans, read where they ran, and
/// manifest GET by tag against a repository of 100 on the same server.
/// </summary>
internal static class MetadataRun
{
    public static async Task RunAsync(RunSettings run)
    {
        var clock = Stopwatch.StartNew();
        await using var scale = await ScaleDatabase.StartAsync(run.Fraction, durable: true, Path.Combine(run.Root.FullName, "postgres"));
        Console.WriteLine($"{scale.Blobs} blobs, {scale.Manifests} manifests, {scale.Tags} tags made in {clock.Elapsed.TotalSeconds:0} s");
        var database = $"ConnectionStrings:Registry={scale.ConnectionString}";

        await using (var gantry = await RegistryProcess.StartGantryAsync(run.Root.CreateSubdirectory("speed").FullName, settings: database))
        {
            const int Few = ScaleDatabase.FewTags;
            var comparison = new Comparison<(string Repository, int Tags)>(
                $"{scale.Tags} tags", (ScaleDatabase.Large, scale.Tags), $"{Few} tags", (ScaleDatabase.Small, Few), run.Pairs);
            await comparison.MeasureAsync($"manifest GET, {Few} tags asked for, spread over all",
                side => Measures.RandomTagsAsync(gantry, side.Repository, Few, side.Tags / Few, run.Seconds));
            await comparison.MeasureAsync("manifest GET, every tag asked for",
                side => Measures.RandomTagsAsync(gantry, side.Repository, side.Tags, 1, run.Seconds));
            comparison.Print();
        }

        await scale.ExplainAsync();
        await using (var gantry = await RegistryProcess.StartGantryAsync(run.Root.CreateSubdirectory("plans").FullName, settings: database))
        {
            using var client = new HttpClient { BaseAddress = gantry.Address };
            client.DefaultRequestHeaders.Authorization = RegistryServer.Basic("admin", RegistryProcess.Password);
            var requests = new ScaleRequests(client, scale);
            for (var round = 0; round < 8; round++) await requests.RunAsync();
        }

        var (plans, faults) = QueryPlans.Check(await File.ReadAllTextAsync(scale.LogFile));
        Console.WriteLine($"{plans} plans read, {faults.Count} that are no index scan");
        if (plans < 300) throw new InvalidOperationException("too few: PostgreSQL needs its auto_explain (Debian: postgresql, or postgresql-contrib)");
        if (faults.Count > 0) throw new InvalidOperationException(string.Join('\n', faults));
    }
}
