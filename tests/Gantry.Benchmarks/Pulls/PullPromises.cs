using System.Globalization;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.Benchmarks.Pulls;

/// <summary>What gantry alone is measured by.</summary>
internal static class PullPromises
{
    private const double SlowLink = 400e6 / 8;
    private const int Cuts = 50;

    /// <summary>
    /// The time of a pull over that of the slower of its download and its slowest layer, each of them alone: from a registry next door, where it is the processors that
    /// decide, and over a link of 400 Mbit/s.
    /// </summary>
    public static async Task AddWallAsync(PullTable table, PullBench bench, BenchImage image, IReadOnlyList<double> near)
    {
        var gantry = bench.Pull;
        Task<Cost> Download(string reference) => bench.MeasureAsync(gantry, () => gantry.PullAsync(reference, "--no-unpack"));

        var alone = new List<double>();
        foreach (var layer in image.Layers)
        {
            await gantry.PullAsync(image.ReferenceOf(layer), "--no-unpack");
            alone.Add((await bench.MeasureAsync(gantry, () => gantry.PullAsync(image.ReferenceOf(layer)))).Wall);
        }

        await using var relay = new Relay(bench.Registry, SlowLink);
        var far = image.Reference.Replace(image.Host, relay.Host, StringComparison.Ordinal);
        var (nearRatios, farRatios) = (new List<double>(), new List<double>());
        foreach (var wall in near)
        {
            nearRatios.Add(wall / Math.Max((await Download(image.Reference)).Wall, alone.Max()));
            farRatios.Add((await bench.MeasureAsync(gantry, () => gantry.PullAsync(far))).Wall / Math.Max((await Download(far)).Wall, alone.Max()));
        }

        table.AtMost($"{image.Name}: wall / slower of download and slowest layer, loopback", nearRatios, 1.15);
        table.AtMost($"{image.Name}: wall / slower of download and slowest layer, 400 Mbit/s", farRatios, 1.15);
    }

    /// <summary>In memory, where a file costs what the client makes of it and not what the disk does.</summary>
    public static async Task AddSmallFilesAsync(PullTable table, PullBench bench, BenchImage image, int rounds)
    {
        var folder = Directory.CreateDirectory(Path.Combine(bench.Folder, "memory")).FullName;
        await new Command("mount").RunAsync("-t", "tmpfs", "gantry-bench", folder);
        try
        {
            var gantry = bench.At(folder);
            var micros = new List<double>();
            for (var round = 0; round < rounds; round++) micros.Add((await bench.MeasureAsync(gantry, () => gantry.PullAsync(image))).Cpu * 1e6 / image.Files);
            table.AtMost($"{image.Name}: CPU microseconds per file on tmpfs, gantry pull", micros, 30, "0.0");
        }
        finally
        {
            await new Command("umount").RunAsync(folder);
        }
    }

    /// <summary>Every byte that comes back counts, also the heads of answers and the manifest.</summary>
    public static async Task AddCutsAsync(PullTable table, PullBench bench, BenchImage image)
    {
        await using var relay = new Relay(bench.Registry, cuts: Cuts, cutEvery: image.Size / (Cuts + 2));
        await bench.MeasureAsync(bench.Pull, () => bench.Pull.PullAsync(image.Reference.Replace(image.Host, relay.Host, StringComparison.Ordinal)));
        if (relay.CutsLeft > 0) throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{relay.CutsLeft} of {Cuts} connections were not cut"));
        table.AtMost($"{image.Name}: bytes fetched / size, {Cuts} cut connections", [relay.Returned / (double)image.Size], 1.05, "0.000");
    }
}
