using Gantry.Engine.Images;
using Gantry.Oci;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Content;

/// <summary>
/// Blobs by their digest. One is visible only with the right size and digest and after it is durable (fsync of the file, rename, fsync of the folder). While it
/// comes it lies in <c>ingest</c>, under a lock that the kernel takes from a process that dies: one process fetches, others wait and find it there, and
/// who comes after a killed one goes on where that one was.
/// </summary>
internal sealed class BlobStore(StoreLayout layout)
{
    public bool Has(ContentReference blob)
    {
        using var file = OpenStored(blob);
        return file is not null;
    }

    /// <summary>
    /// The blob, or a reading that is being filled from <paramref name="source"/>. Waits while another process fetches the same one.
    /// </summary>
    /// <param name="source">Null: nothing is fetched, and what is not there is NotFound.</param>
    /// <param name="progress">Called with the bytes that are there, from the writer's thread.</param>
    public async Task<BlobReading> OpenAsync(ContentReference blob, IBlobSource? source, Action<long>? progress, CancellationToken ct)
    {
        if (OpenStored(blob) is { } stored) return BlobReading.OfStored(blob.Digest, blob.Size, stored);
        if (blob.Data is { } data) await PutAsync(blob.Digest, data, ct);

        var path = Path.Combine(layout.Ingest, StoreLayout.NameOf(blob.Digest));
        var held = await FileLock.TakeAsync($"{path}.lock", ct);
        SafeFileHandle? file = null;
        try
        {
            if (OpenStored(blob) is { } meanwhile)
            {
                held.Remove();
                return BlobReading.OfStored(blob.Digest, blob.Size, meanwhile);
            }

            if (source is null)
            {
                held.Remove();
                throw new EngineException(EngineFault.NotFound, $"{blob.Digest} is not in the store");
            }

            file = StoreFile.OpenOrCreate(path);
            var reading = new BlobReading(blob.Digest, blob.Size, file);
            var ingest = new BlobIngest(blob, path, layout.Blob(blob.Digest), file, reading, held);
            reading.Begin(stop => ingest.RunAsync(source, progress, stop));
            return reading;
        }
        catch
        {
            held.Dispose();
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Content that is in memory and has been checked against its digest.</summary>
    public async Task PutAsync(Digest digest, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        var target = layout.Blob(digest);
        if (File.Exists(target)) return;
        var path = Path.Combine(layout.Ingest, StoreLayout.NameOf(digest));
        using var held = await FileLock.TakeAsync($"{path}.lock", ct);
        if (!File.Exists(target))
        {
            using var file = StoreFile.OpenOrCreate(path);
            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, content.Span, 0);
            Publish(file, path, target);
        }

        held.Remove();
    }

    /// <summary>A small blob as a whole. Null where it is not there.</summary>
    public async Task<byte[]?> ReadAsync(Digest digest, int maxBytes, CancellationToken ct)
    {
        using var file = StoreFile.OpenForReading(layout.Blob(digest));
        if (file is null) return null;
        var size = RandomAccess.GetLength(file);
        if (size > maxBytes) throw new EngineException(EngineFault.TooLarge, $"{digest} has {size} bytes, the limit is {maxBytes}");
        var content = new byte[size];
        var count = await RandomAccess.ReadAsync(file, content, 0, ct);
        return count == size && Digest.Of(content, digest.Algorithm) == digest
            ? content
            : throw new EngineException(EngineFault.Mismatch, $"{digest} in the store is damaged; remove the image and pull it again");
    }

    /// <summary>Reads a stored blob again and removes it where it is not what its name says. True where it was removed.</summary>
    public bool RemoveIfDamaged(Digest digest)
    {
        using (var file = StoreFile.OpenForReading(layout.Blob(digest)))
        {
            if (file is null || BlobIngest.DigestOf(file, RandomAccess.GetLength(file), digest.Algorithm) == digest) return false;
        }

        Remove(digest);
        return true;
    }

    public void Remove(Digest digest) => File.Delete(layout.Blob(digest));

    /// <summary>Makes a finished file visible under its digest, durably.</summary>
    public static void Publish(SafeFileHandle file, string path, string target)
    {
        StoreFile.Sync(file, path);
        Failpoint.Hit("blob-synced");
        StoreFile.Rename(path, target);
        StoreFile.SyncFolder(Path.GetDirectoryName(target)!);
        Failpoint.Hit("blob-published");
    }

    /// <summary>A file of another length is no longer what was committed; it is fetched again.</summary>
    private SafeFileHandle? OpenStored(ContentReference blob)
    {
        var file = StoreFile.OpenForReading(layout.Blob(blob.Digest));
        if (file is null || RandomAccess.GetLength(file) == blob.Size) return file;
        file.Dispose();
        return null;
    }
}
