using System.Security.Cryptography;
using Gantry.Benchmarks;
using Gantry.Oci;

var options = args.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
var pairs = int.Parse(options.GetValueOrDefault("--pairs", "5"));
var mib = int.Parse(options.GetValueOrDefault("--mib", "1024"));
var seconds = int.Parse(options.GetValueOrDefault("--seconds", "5"));
var root = Directory.CreateDirectory(Path.Combine(options.GetValueOrDefault("--data", "/var/tmp"), $"gantry-bench-{Environment.ProcessId}"));
try
{
    await using var gantry = await RegistryProcess.StartGantryAsync(root.CreateSubdirectory("gantry").FullName);
    await using var peer = await RegistryProcess.StartPeerAsync(root.CreateSubdirectory("peer").FullName);
    var table = new List<(string Measure, List<(double Ours, double Theirs)> Pairs)>();
    var file = Path.Combine(root.FullName, "layer");
    var digest = default(Digest);

    await MeasureAsync($"push {mib} MiB", async () => digest = await NewLayerAsync(file, mib),
        registry => Measures.PushAsync(registry, file, digest));
    await MeasureAsync($"pull {mib} MiB", () => Task.CompletedTask, registry => Measures.PullAsync(registry, digest));
    foreach (var registry in (RegistryProcess[])[gantry, peer]) await Measures.PushManifestAsync(registry);
    foreach (var method in (string[])["GET", "HEAD"])
    {
        await MeasureAsync($"manifest {method}, 64 connections", () => Task.CompletedTask,
            registry => Measures.ManifestAsync(registry, method, seconds));
    }

    Console.WriteLine();
    Console.WriteLine($"| measure | gantry / {peer.Name}: median ratio | lowest | highest | pairs |");
    Console.WriteLine("|---|---:|---:|---:|---:|");
    foreach (var (measure, results) in table)
    {
        var ratios = results.Select(pair => pair.Ours / pair.Theirs).Order().ToList();
        Console.WriteLine($"| {measure} | {ratios[ratios.Count / 2]:0.00} | {ratios[0]:0.00} | {ratios[^1]:0.00} | {ratios.Count} |");
    }

    // The first pair warms both up and does not count.
    async Task MeasureAsync(string measure, Func<Task> before, Func<RegistryProcess, Task<double>> rate)
    {
        var results = new List<(double, double)>();
        for (var pair = 0; pair <= pairs; pair++)
        {
            await before();
            var (ours, theirs) = (await rate(gantry), await rate(peer));
            Console.WriteLine($"{measure}: {ours:0} against {theirs:0}{(pair == 0 ? " (warm-up)" : "")}");
            if (pair > 0) results.Add((ours, theirs));
        }

        table.Add((measure, results));
    }
}
finally
{
    root.Delete(recursive: true);
}

static async Task<Digest> NewLayerAsync(string path, int mib)
{
    using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    await using var file = File.Create(path);
    var block = new byte[1024 * 1024];
    for (var i = 0; i < mib; i++)
    {
        RandomNumberGenerator.Fill(block);
        hash.AppendData(block);
        await file.WriteAsync(block);
    }

    return Digest.FromHash(DigestAlgorithm.Sha256, hash.GetHashAndReset());
}
