using System.Diagnostics;
using System.IO.Enumeration;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.Oci;

namespace Gantry.Benchmarks.Pulls;

/// <summary>
/// Makes images of this machine's own files, without a network: real programs, libraries and texts, packed by GNU tar and gzip. What is in them differs from machine to machine,
/// and so do the seconds; the ratios of one run are of the same images.
/// </summary>
internal static class ImageBuilder
{
    private const string Type = "application/vnd.oci.image.";
    private const long SmallFile = 16 << 10;

    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };

    /// <summary>Three layouts below the folder: <c>mixed</c>, a usual image; <c>large</c>, few large files; <c>small</c>, many small ones.</summary>
    /// <param name="fraction">Of the full size.</param>
    public static async Task<IReadOnlyList<string>> MakeAsync(string folder, double fraction)
    {
        var files = List("/usr");

        // 1. Whole folders as they come, by a hash of the name, and large files until it is large enough.
        var byChance = files.GroupBy(file => Path.GetDirectoryName(file.Path)!, StringComparer.Ordinal)
            .OrderBy(folder => Digest.Of(Encoding.UTF8.GetBytes(folder.Key)).Hex, StringComparer.Ordinal).SelectMany(folder => folder).ToList();
        var mixed = byChance.Where(file => file.Length < 8 << 20).Take((int)(14_200 * fraction)).ToList();
        var bySize = files.OrderByDescending(file => file.Length).ToList();
        mixed.AddRange(TakeBytes(bySize.Where(file => file.Length >= 8 << 20).Reverse(), (long)(1.1e9 * fraction) - mixed.Sum(file => file.Length)));

        // 2. and 3.
        var large = TakeBytes(bySize.Where(file => file.Length <= 100e6 * fraction), (long)(400e6 * fraction));
        var small = byChance.Where(file => file.Length <= SmallFile).Take((int)(40_000 * fraction)).ToList();
        return
        [
            await LayoutAsync(Path.Combine(folder, "mixed"), mixed, 6),
            await LayoutAsync(Path.Combine(folder, "large"), large, 2),
            await LayoutAsync(Path.Combine(folder, "small"), small, 1),
        ];
    }

    private static List<(string Path, long Length)> List(string top) =>
        [.. new FileSystemEnumerable<(string Path, long Length)>(top, (ref FileSystemEntry entry) => (entry.ToFullPath(), entry.Length), Everything)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
            ShouldRecursePredicate = (ref FileSystemEntry entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        }];

    private static List<(string Path, long Length)> TakeBytes(IEnumerable<(string Path, long Length)> files, long bytes)
    {
        var taken = new List<(string Path, long Length)>();
        foreach (var file in files)
        {
            if (bytes <= 0) break;
            taken.Add(file);
            bytes -= file.Length;
        }

        return taken;
    }

    private static async Task<string> LayoutAsync(string layout, List<(string Path, long Length)> files, int count)
    {
        var blobs = Directory.CreateDirectory(Path.Combine(layout, "blobs", "sha256")).FullName;
        await File.WriteAllTextAsync(Path.Combine(layout, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");

        // Neighbours go into one layer, and each layer has its share of the bytes.
        var (share, done) = (files.Sum(file => file.Length) / count + 1, 0L);
        var parts = files.OrderBy(file => file.Path, StringComparer.Ordinal).ToLookup(file => (int)(((done += file.Length) - file.Length) / share), file => file.Path);
        var layers = new (Digest DiffId, JsonObject Descriptor)[count];
        await Parallel.ForAsync(0, count, async (index, _) => layers[index] = await LayerAsync(blobs, parts[index]));

        var config = await DocumentAsync(blobs, $"{Type}config.v1+json", new JsonObject
        {
            ["architecture"] = "amd64", ["os"] = "linux", ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(layer => JsonValue.Create($"{layer.DiffId}"))]) },
        });
        var manifest = await DocumentAsync(blobs, MediaTypes.OciManifest, Manifest(config, [.. layers.Select(layer => layer.Descriptor)]));
        manifest["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = "latest" };
        await File.WriteAllTextAsync(Path.Combine(layout, "index.json"), new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(manifest) }.ToJsonString());
        return layout;
    }

    public static JsonObject Manifest(JsonObject config, params JsonNode[] layers) => new()
    {
        ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest, ["config"] = config, ["layers"] = new JsonArray(layers),
    };

    /// <summary>tar, through the diffID's hash into gzip: with an entry for each directory above, as an image's layers have.</summary>
    private static async Task<(Digest DiffId, JsonObject Descriptor)> LayerAsync(string blobs, IEnumerable<string> files)
    {
        var names = files.SelectMany(Above).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        var list = Path.Combine(blobs, $"list-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(list, string.Concat(names.Select(name => name[1..] + '\0')));
        var blob = list + ".gz";
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var tar = Start("tar", "-C", "/", "--format=posix", "--pax-option=delete=atime,delete=ctime,delete=mtime", "--no-recursion", "--null", "-T", list, "-cf", "-"))
        using (var gzip = Start("sh", "-c", "gzip -n >\"$0\"", blob))
        {
            var block = new byte[1 << 20];
            while (await tar.StandardOutput.BaseStream.ReadAsync(block) is var read and > 0)
            {
                hash.AppendData(block, 0, read);
                await gzip.StandardInput.BaseStream.WriteAsync(block.AsMemory(0, read));
            }

            gzip.StandardInput.Close();
            await Task.WhenAll(tar.WaitForExitAsync(), gzip.WaitForExitAsync());
            if (tar.ExitCode != 0 || gzip.ExitCode != 0) throw new InvalidOperationException("tar or gzip failed");
        }

        File.Delete(list);
        await using var made = File.OpenRead(blob);
        var digest = Digest.FromHash(DigestAlgorithm.Sha256, await SHA256.HashDataAsync(made));
        File.Move(blob, Path.Combine(blobs, digest.Hex), overwrite: true);
        return (Digest.FromHash(DigestAlgorithm.Sha256, hash.GetHashAndReset()), Descriptor(digest, $"{Type}layer.v1.tar+gzip", made.Length));
    }

    private static IEnumerable<string> Above(string path)
    {
        for (var slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1)) yield return path[..slash];
        yield return path;
    }

    private static async Task<JsonObject> DocumentAsync(string blobs, string mediaType, JsonObject document)
    {
        var bytes = Encoding.UTF8.GetBytes(document.ToJsonString());
        await File.WriteAllBytesAsync(Path.Combine(blobs, Digest.Of(bytes).Hex), bytes);
        return Descriptor(Digest.Of(bytes), mediaType, bytes.Length);
    }

    public static JsonObject Descriptor(Digest digest, string mediaType, long size) => new() { ["mediaType"] = mediaType, ["digest"] = $"{digest}", ["size"] = size };

    private static Process Start(string program, params string[] words) =>
        Process.Start(new ProcessStartInfo(program, words) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
}
