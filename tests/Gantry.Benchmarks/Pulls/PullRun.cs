namespace Gantry.Benchmarks.Pulls;

/// <summary>
/// gantry against the other clients, image by image: in each round each client pulls into an empty store, one after the other, from the same registry, whose time does not
/// count. Ratios are taken within a round. Then what the project promises of gantry alone.
/// </summary>
internal static class PullRun
{
    // Where there are more it is the files that cost, not their bytes: they have a measure of their own.
    private const int UsualFilesPerGigabyte = 30_000;

    public static async Task RunAsync(RunSettings run)
    {
        var root = run.Root.FullName;
        Console.WriteLine("making images");
        var layouts = run.Images is { } folder
            ? [.. Directory.GetDirectories(folder).Where(each => File.Exists(Path.Combine(each, "index.json"))).Order(StringComparer.Ordinal)]
            : await ImageBuilder.MakeAsync(Path.Combine(root, "images"), run.Fraction);

        await using var bench = await PullBench.StartAsync(root, run.Gantry);
        var table = new PullTable();
        var images = new List<BenchImage>();
        foreach (var layout in layouts)
        {
            images.Add(await bench.PushAsync(layout));
            Console.WriteLine(images[^1].Description);
        }

        foreach (var image in images)
        {
            var costs = await CompareAsync(bench, image, run.Pairs);
            AddPeers(table, bench, image, costs);
            if (image.Files / image.Gigabytes < UsualFilesPerGigabyte)
                table.AtMost($"{image.Name}: CPU seconds per GB on ext4, gantry pull", costs["gantry pull"].Select(cost => cost.Cpu / image.Gigabytes), 5);
            table.AtMost($"{image.Name}: MiB resident at most, gantry", ((string[])["gantry pull", "gantry unpack"]).SelectMany(name => costs[name]).Select(cost => cost.PeakMib), 150, "0");
            await PullPromises.AddWallAsync(table, bench, image, run.Pairs);
        }

        await PullPromises.AddInMemoryAsync(table, bench, images, run.Pairs);
        await PullPromises.AddCutsAsync(table, bench, images.MaxBy(image => image.Size)!);
        table.Print();
    }

    /// <summary>By client, a cost a round.</summary>
    private static async Task<Dictionary<string, List<Cost>>> CompareAsync(PullBench bench, BenchImage image, int rounds)
    {
        var costs = bench.Clients.ToDictionary(client => client.Name, _ => new List<Cost>(), StringComparer.Ordinal);
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var client in bench.Clients)
            {
                var cost = await PullBench.MeasureAsync(client, () => client.PullAsync(image));
                costs[client.Name].Add(cost);
                Console.WriteLine($"{image.Name}, {client.Name}: {cost.Cpu:0.00} CPU-s, {cost.Wall:0.00} s, {cost.PeakMib:0} MiB ({round} of {rounds})");
            }
        }

        return costs;
    }

    /// <summary>Each against the way of gantry that leaves the same on the disk.</summary>
    private static void AddPeers(PullTable table, PullBench bench, BenchImage image, Dictionary<string, List<Cost>> costs)
    {
        foreach (var peer in bench.Clients.Where(client => client is not GantryClient))
        {
            var ours = bench.Clients.First(client => client is GantryClient && client.IsFlat == peer.IsFlat);
            var rounds = costs[peer.Name].Zip(costs[ours.Name]).ToList();
            var isTwice = peer is DockerPeer or PodmanPeer;
            foreach (var (what, ratio) in (ReadOnlySpan<(string, Func<Cost, double>)>)[("CPU", cost => cost.Cpu), ("wall", cost => cost.Wall)])
                table.AtLeast($"{image.Name}: {what}, {peer.Name} / {ours.Name}", rounds.Select(pair => ratio(pair.First) / ratio(pair.Second)), isTwice ? 2 : 1, isMore: !isTwice);
        }
    }
}
