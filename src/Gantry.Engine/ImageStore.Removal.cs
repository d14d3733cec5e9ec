using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Engine.Snapshots;
using Gantry.Engine.Unpack;
using Gantry.Oci;

namespace Gantry.Engine;

/// <summary>What a removal took away.</summary>
/// <param name="Bytes">Of blobs; unpacked layers are not measured.</param>
public sealed record RemovedContent(int Blobs, int Layers, int Chains, long Bytes);

public sealed partial class ImageStore
{
    /// <summary>
    /// Removes a name, and of what it led to all that no other name, no lease and no bundle uses. Null where there is no such name.
    /// </summary>
    public Task<RemovedContent?> RemoveAsync(ImageName name, CancellationToken ct = default) => LocalFaults.AsEngineAsync(async () =>
    {
        List<string> trash;
        RemovedContent removed;
        using (await FileLock.TakeAsync(_layout.LockFile, ct))
        {
            if (Names.Find(name) is not { } image) return null;
            Names.Remove(name);
            Failpoint.Hit("name-removed");
            var used = Used();
            (removed, trash) = Hide(image.Uses.Where(digest => !used.Contains(digest)).Distinct());
        }

        Empty(trash);
        return removed;
    });

    /// <summary>Removes everything that no name, no lease and no bundle uses: what failed pulls have left, and what they would have gone on from.</summary>
    public Task<RemovedContent> PruneAsync(CancellationToken ct = default) => LocalFaults.AsEngineAsync(async () =>
    {
        List<string> trash;
        RemovedContent removed;
        using (await FileLock.TakeAsync(_layout.LockFile, ct))
        {
            Names.RemoveLeftovers();
            var used = Used();
            (removed, trash) = Hide(Everything().Distinct().Where(digest => !used.Contains(digest)));
            RemoveIngest(used);
        }

        Empty(trash);
        StagedFolder.RemoveLeftovers(_layout);
        return removed;
    });

    /// <summary>Keeps an image's layers for a bundle, until its folder is removed. A lease of the caller names them now.</summary>
    internal Task PinAsync(StoredImage image, string folder, CancellationToken ct) =>
        Pin.PlaceAsync(_layout, folder, [.. image.DiffIds, .. image.Chain is { } chain ? [chain.Digest] : Array.Empty<Digest>()], ct);

    /// <summary>Makes the name lead to an image; all of it is there, and named by the caller's lease.</summary>
    internal async Task PutAsync(StoredImage image, CancellationToken ct)
    {
        using (await FileLock.TakeSharedAsync(_layout.LockFile, ct)) Names.Put(image);
    }

    private HashSet<Digest> Used()
    {
        var used = Lease.Named(_layout);
        used.UnionWith(Pin.Named(_layout));
        foreach (var image in Names.List()) used.UnionWith(image.Uses);
        return used;
    }

    private IEnumerable<Digest> Everything()
    {
        foreach (var algorithm in Directory.EnumerateDirectories(_layout.Blobs))
        {
            foreach (var file in Directory.EnumerateFiles(algorithm))
            {
                if (Digest.TryParse($"{Path.GetFileName(algorithm)}:{Path.GetFileName(file)}", out var digest)) yield return digest;
            }
        }

        foreach (var folder in Directory.EnumerateDirectories(_layout.Layers).Concat(Directory.EnumerateDirectories(_layout.Chains)))
        {
            if (StoreLayout.DigestOf(Path.GetFileName(folder)) is { } digest) yield return digest;
        }
    }

    /// <summary>Out of sight under the lock; the trees are removed after it, which may take long.</summary>
    private (RemovedContent Removed, List<string> Trash) Hide(IEnumerable<Digest> digests)
    {
        var trash = new List<string>();
        var (blobs, layers, chains, bytes) = (0, 0, 0, 0L);
        foreach (var digest in digests)
        {
            var blob = new FileInfo(_layout.Blob(digest));
            if (blob.Exists)
            {
                (blobs, bytes) = (blobs + 1, bytes + blob.Length);
                blob.Delete();
            }

            // A chain before the layers it leads to.
            if (Hide(trash, _layout.Chains, digest)) chains++;
            if (Hide(trash, _layout.Layers, digest)) layers++;
        }

        return (new RemovedContent(blobs, layers, chains, bytes), trash);
    }

    private bool Hide(List<string> trash, string parent, Digest digest)
    {
        if (StagedFolder.Hide(_layout, Path.Combine(parent, StoreLayout.NameOf(digest))) is not { } hidden) return false;
        trash.Add(hidden);
        return true;
    }

    private static void Empty(List<string> trash)
    {
        foreach (var folder in trash) TreeRemoval.Remove(folder);
    }

    /// <summary>What is being fetched is locked, or named by a lease whose owner is about to.</summary>
    private void RemoveIngest(HashSet<Digest> used)
    {
        foreach (var path in Directory.EnumerateFiles(_layout.Ingest).Select(path => Path.ChangeExtension(path, null)).Distinct(StringComparer.Ordinal).ToList())
        {
            if (StoreLayout.DigestOf(Path.GetFileName(path)) is { } digest && used.Contains(digest)) continue;
            if (FileLock.TryTake($"{path}.lock") is not { } idle) continue;
            File.Delete(path);
            idle.Remove();
        }
    }

    /// <summary>After a machine was lost: what had not been made durable is not trusted.</summary>
    private async Task DropLostAsync(CancellationToken ct)
    {
        var trash = new List<string>();
        using (await FileLock.TakeAsync(_layout.LockFile, ct))
        {
            foreach (var (name, marker) in Durability.Lost().ToList())
            {
                if (StoreLayout.DigestOf(name) is { } layer) Hide(trash, _layout.Layers, layer);
                else if (StoreLayout.DigestOf(name[(name.IndexOf('-', StringComparison.Ordinal) + 1)..]) is { } chain) Hide(trash, _layout.Chains, chain);

                File.Delete(marker);
            }

            Durability.RemoveEmpty();
        }

        Empty(trash);
    }
}
