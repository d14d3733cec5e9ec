using System.Globalization;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.Benchmarks.Pulls;

/// <summary>What gantry alone is measured by.</summary>
internal static class PullPromises
{
    private const double SlowLink = 400e6 / 8;
    private const int Cuts = 50;

    // A connection that brings hardly anything counts as one that fails, and after some of those a client gives up: a small image is cut less often.
    private const long LeastBetweenCuts = 512 * 1024;

    /// <summary>
    /// The time of a pull over that of the slower of its download and its slowest layer, each of them alone: from a registry next door, where it is the processors that
    /// decide, and over a link of 400 Mbit/s.
    /// </summary>
    public static async Task AddWallAsync(PullTable table, PullBench bench, BenchImage image, int rounds)
    {
        var gantry = bench.Pull;
        await using var relay = new Relay(bench.Registry, SlowLink);
        var far = image.Reference.Replace(image.Host, relay.Host, StringComparison.Ordinal);

        var walls = new Dictionary<BenchLayer, double>();
        foreach (var layer in image.Layers) walls[layer] = await AloneAsync(bench, image.ReferenceOf(layer));
        var slowest = image.ReferenceOf(walls.MaxBy(each => each.Value).Key);

        var (near, slow) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            var alone = await AloneAsync(bench, slowest);
            foreach (var (reference, ratios) in ((string, List<double>)[])[(image.Reference, near), (far, slow)])
            {
                var download = await WallAsync(bench, () => gantry.PullAsync(reference, "--no-unpack"));
                ratios.Add(await WallAsync(bench, () => gantry.PullAsync(reference)) / Math.Max(download, alone));
            }
        }

        table.AtMost($"{image.Name}: wall / slower of download and slowest layer, loopback", near, 1.15);
        table.AtMost($"{image.Name}: wall / slower of download and slowest layer, 400 Mbit/s", slow, 1.15);
    }

    private static async Task<double> WallAsync(PullBench bench, Func<Task<Cost>> pull) => (await PullBench.MeasureAsync(bench.Pull, pull)).Wall;

    /// <summary>Unpacked out of a store that has the blob.</summary>
    private static async Task<double> AloneAsync(PullBench bench, string reference)
    {
        await bench.Pull.PullAsync(reference, "--no-unpack");
        return await WallAsync(bench, () => bench.Pull.PullAsync(reference));
    }

    /// <summary>In memory, where a pull costs what the client makes of it and not what the disk does: by file of the image with the most of them, otherwise by byte.</summary>
    public static async Task AddInMemoryAsync(PullTable table, PullBench bench, IReadOnlyList<BenchImage> images, int rounds)
    {
        var folder = Directory.CreateDirectory(Path.Combine(bench.Folder, "memory")).FullName;
        await new Command("mount").RunAsync("-t", "tmpfs", "gantry-bench", folder);
        try
        {
            var gantry = bench.At(folder);
            var costs = images.ToDictionary(image => image, _ => new List<double>());
            for (var round = 0; round < rounds; round++)
            {
                foreach (var image in images) costs[image].Add((await PullBench.MeasureAsync(gantry, () => gantry.PullAsync(image))).Cpu);
            }

            var small = images.MaxBy(image => image.Files / image.Gigabytes)!;
            foreach (var image in images.Where(image => image != small))
                table.AtMost($"{image.Name}: CPU seconds per GB on tmpfs, gantry pull", costs[image].Select(cost => cost / image.Gigabytes), 5);
            table.AtMost($"{small.Name}: CPU microseconds per file on tmpfs, gantry pull", costs[small].Select(cost => cost * 1e6 / small.Files), 30, "0.0");
        }
        finally
        {
            await new Command("umount").RunAsync(folder);
        }
    }

    /// <summary>Every byte that comes back counts, also the heads of answers and the manifest.</summary>
    public static async Task AddCutsAsync(PullTable table, PullBench bench, BenchImage image)
    {
        var cuts = (int)Math.Min(Cuts, image.Size / LeastBetweenCuts);
        await using var relay = new Relay(bench.Registry, cuts: cuts, cutEvery: image.Size / (cuts + 2));
        await PullBench.MeasureAsync(bench.Pull, () => bench.Pull.PullAsync(image.Reference.Replace(image.Host, relay.Host, StringComparison.Ordinal)));
        if (relay.CutsLeft > 0) throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{relay.CutsLeft} of {cuts} connections were not cut"));
        table.AtMost($"{image.Name}: bytes fetched / size, {cuts} cut connections", [relay.Returned / (double)image.Size], 1.05, "0.000");
    }
}
