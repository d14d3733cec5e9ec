using Gantry.Engine.Content;
using Gantry.Engine.Snapshots;
using Gantry.Engine.Unpack;
using Gantry.Oci;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>A store in a folder of its own, and what must be true of it whenever nobody is at work.</summary>
internal sealed class TestStore : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("gantry-test-").FullName;

    public Task<ImageStore> OpenAsync() => ImageStore.OpenAsync(Root, TestContext.Current.CancellationToken);

    public string[] Blobs => Files("blobs");

    public string[] Ingest => [.. Files("ingest").Where(file => !file.EndsWith(".lock", StringComparison.Ordinal))];

    public string[] Layers => Folders("layers");

    public string[] Chains => Folders("chains");

    /// <summary>Nothing is on its way: staging, locks and leases are gone.</summary>
    public void IsQuiet()
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Root, "staging")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Root, "leases")));
    }

    /// <summary>Whatever is visible is right: blobs hash to their names, names lead to whole images, layers have their notes.</summary>
    public async Task IsConsistentAsync(ImageStore store)
    {
        foreach (var blob in Directory.EnumerateFiles(Path.Combine(Root, "blobs"), "*", SearchOption.AllDirectories))
        {
            var digest = Digest.Parse($"{Path.GetFileName(Path.GetDirectoryName(blob))}:{Path.GetFileName(blob)}");
            Assert.Equal(digest, Digest.Of(await File.ReadAllBytesAsync(blob), digest.Algorithm));
        }

        foreach (var layer in Layers) _ = store.Layers.NotesOf(StoreLayout.DigestOf(layer)!.Value);
        foreach (var image in store.List())
        {
            var manifest = await store.ReadManifestAsync(image);
            Assert.All(manifest.Layers, layer => Assert.Contains(layer.Digest.Hex, Blobs));
            if (!image.IsUnpackable) continue;
            Assert.NotNull(await store.ReadConfigAsync(image));
            Assert.NotNull(store.FindChain(image));
        }
    }

    public void Dispose() => TreeRemoval.Remove(Root);

    private string[] Files(string folder) =>
        [.. Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private string[] Folders(string folder) =>
        [.. Directory.EnumerateDirectories(Path.Combine(Root, folder)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
