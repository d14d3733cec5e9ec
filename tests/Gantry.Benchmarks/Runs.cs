using System.Security.Cryptography;
using System.Text;
using Gantry.Oci;

namespace Gantry.Benchmarks;

/// <summary>Against another registry, and against ourselves without logins.</summary>
internal static class Runs
{
    /// <summary>What a login costs: a bearer token for a private repository, against the same server open to everybody.</summary>
    public static async Task AgainstNoAuthorizationAsync(RunSettings run)
    {
        await using var closed = await RegistryProcess.StartGantryAsync(run.Root.CreateSubdirectory("closed").FullName, access: "None");
        await using var open = await RegistryProcess.StartGantryAsync(run.Root.CreateSubdirectory("open").FullName);
        closed.Credential = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{RegistryProcess.Password}")));
        foreach (var registry in (RegistryProcess[])[closed, open]) await Measures.PushManifestAsync(registry);
        await Measures.UseBearerTokenAsync(closed);

        var comparison = new Comparison<RegistryProcess>("with a bearer token", closed, "without authorization", open, run.Pairs);
        await CompareManifestsAsync(comparison, run.Seconds);
        comparison.Print();
    }

    public static async Task AgainstPeerAsync(RunSettings run)
    {
        await using var gantry = await RegistryProcess.StartGantryAsync(run.Root.CreateSubdirectory("gantry").FullName);
        await using var peer = await RegistryProcess.StartPeerAsync(run.Root.CreateSubdirectory("peer").FullName);
        var comparison = new Comparison<RegistryProcess>(gantry.Name, gantry, peer.Name, peer, run.Pairs);
        var file = Path.Combine(run.Root.FullName, "layer");
        var digest = default(Digest);

        await comparison.MeasureAsync($"push {run.Mib} MiB", registry => Measures.PushAsync(registry, file, digest),
            async () => digest = await NewLayerAsync(file, run.Mib));
        await comparison.MeasureAsync($"pull {run.Mib} MiB", registry => Measures.PullAsync(registry, digest));
        foreach (var registry in (RegistryProcess[])[gantry, peer]) await Measures.PushManifestAsync(registry);
        await CompareManifestsAsync(comparison, run.Seconds);
        comparison.Print();
    }

    /// <summary>A file of random bytes.</summary>
    public static async Task<Digest> NewLayerAsync(string path, int mib)
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

    private static async Task CompareManifestsAsync(Comparison<RegistryProcess> comparison, int seconds)
    {
        foreach (var method in (string[])["GET", "HEAD"])
            await comparison.MeasureAsync($"manifest {method}, 64 connections", registry => Measures.ManifestAsync(registry, method, seconds));
    }
}
