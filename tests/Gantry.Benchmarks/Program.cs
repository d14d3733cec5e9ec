using System.Security.Cryptography;
using System.Text;
using Gantry.Benchmarks;
using Gantry.Oci;

var authorization = args.Contains("authorization");
var options = args.Where(word => word != "authorization").Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
var pairs = int.Parse(options.GetValueOrDefault("--pairs", "5"));
var mib = int.Parse(options.GetValueOrDefault("--mib", "1024"));
var seconds = int.Parse(options.GetValueOrDefault("--seconds", "5"));
var root = Directory.CreateDirectory(Path.Combine(options.GetValueOrDefault("--data", "/var/tmp"), $"gantry-bench-{Environment.ProcessId}"));
try
{
    await (authorization ? AgainstNoAuthorizationAsync() : AgainstPeerAsync());
}
finally
{
    root.Delete(recursive: true);
}

// What a login costs: a bearer token for a private repository, against the same server open to everybody.
async Task AgainstNoAuthorizationAsync()
{
    await using var closed = await RegistryProcess.StartGantryAsync(root.CreateSubdirectory("closed").FullName, access: "None");
    await using var open = await RegistryProcess.StartGantryAsync(root.CreateSubdirectory("open").FullName);
    closed.Credential = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{RegistryProcess.Password}")));
    foreach (var registry in (RegistryProcess[])[closed, open]) await Measures.PushManifestAsync(registry);
    await Measures.UseBearerTokenAsync(closed);

    var comparison = new Comparison("with a bearer token", closed, "without authorization", open, pairs);
    foreach (var method in (string[])["GET", "HEAD"])
        await comparison.MeasureAsync($"manifest {method}, 64 connections", registry => Measures.ManifestAsync(registry, method, seconds));
    comparison.Print();
}

async Task AgainstPeerAsync()
{
    await using var gantry = await RegistryProcess.StartGantryAsync(root.CreateSubdirectory("gantry").FullName);
    await using var peer = await RegistryProcess.StartPeerAsync(root.CreateSubdirectory("peer").FullName);
    var comparison = new Comparison(gantry.Name, gantry, peer.Name, peer, pairs);
    var file = Path.Combine(root.FullName, "layer");
    var digest = default(Digest);

    await comparison.MeasureAsync($"push {mib} MiB", registry => Measures.PushAsync(registry, file, digest),
        async () => digest = await NewLayerAsync(file, mib));
    await comparison.MeasureAsync($"pull {mib} MiB", registry => Measures.PullAsync(registry, digest));
    foreach (var registry in (RegistryProcess[])[gantry, peer]) await Measures.PushManifestAsync(registry);
    foreach (var method in (string[])["GET", "HEAD"])
        await comparison.MeasureAsync($"manifest {method}, 64 connections", registry => Measures.ManifestAsync(registry, method, seconds));
    comparison.Print();
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
