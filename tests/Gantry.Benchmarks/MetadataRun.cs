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

        var (many, few) = (await PagesAsync(run, scale, ScaleDatabase.Large, scale.Tags), await PagesAsync(run, scale, ScaleDatabase.Small, ScaleDatabase.FewTags));
        Console.WriteLine($"a GET by tag reads {many} pages among {scale.Tags} tags, {few} among {ScaleDatabase.FewTags}");
        if (many > few) throw new InvalidOperationException("a GET by tag reads more where there are more tags");

        var (plans, faults) = QueryPlans.Check(await File.ReadAllTextAsync(scale.LogFile));
        Console.WriteLine($"{plans} plans read, {faults.Count} that are no index scan");
        if (plans < 300) throw new InvalidOperationException("too few: PostgreSQL needs its auto_explain (Debian: postgresql, or postgresql-contrib)");
        if (faults.Count > 0) throw new InvalidOperationException(string.Join('\n', faults));
    }

    /// <summary>The most that a GET by tag reads, over tags from all over the repository, on a server that has served their manifests before.</summary>
    private static async Task<int> PagesAsync(RunSettings run, ScaleDatabase scale, string repository, int tags)
    {
        const int Asked = 50, Rounds = 3;
        var start = new FileInfo(scale.LogFile).Length;
        await using (var gantry = await RegistryProcess.StartGantryAsync(run.Root.CreateSubdirectory("pages").FullName, settings: $"ConnectionStrings:Registry={scale.ConnectionString}"))
        {
            using var client = new HttpClient { BaseAddress = gantry.Address };
            client.DefaultRequestHeaders.Authorization = RegistryServer.Basic("admin", RegistryProcess.Password);
            for (var round = 0; round < Rounds; round++)
            {
                for (var tag = 1; tag <= Asked; tag++)
                {
                    using var manifest = await client.GetAsync($"/v2/{repository}/manifests/t{tag * (tags / Asked)}");
                    manifest.EnsureSuccessStatusCode();
                }
            }
        }

        await using var log = File.OpenRead(scale.LogFile);
        log.Position = start;
        using var reader = new StreamReader(log);
        var pages = QueryPlans.Pages(await reader.ReadToEndAsync(), "JOIN tags t ON t.repository_id = r.id LEFT JOIN LATERAL");
        return pages.Count == Asked * Rounds ? pages.Skip(Asked).Max() : throw new InvalidOperationException($"{pages.Count} plans of GETs by tag instead of {Asked * Rounds}");
    }
}
