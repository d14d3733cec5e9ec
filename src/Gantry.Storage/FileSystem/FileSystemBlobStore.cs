using System.Runtime.CompilerServices;

namespace Gantry.Storage.FileSystem;

/// <summary>Committed blobs as plain files. Readers take no lock: a file at a location never changes.</summary>
public sealed class FileSystemBlobStore(FileSystemLayout layout) : IBlobStore
{
    public ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken)
    {
        using var file = PosixFile.OpenForReading(layout.PathOf(location));
        return ValueTask.FromResult(file is null ? (long?)null : RandomAccess.GetLength(file));
    }

    public ValueTask<IBlobReader?> OpenAsync(BlobLocation location, BlobRange? expected,
        CancellationToken cancellationToken)
    {
        var file = PosixFile.OpenForReading(layout.PathOf(location));
        return ValueTask.FromResult<IBlobReader?>(file is null ? null : new FileSystemBlobReader(file));
    }

    public async ValueTask DeleteAsync(BlobLocation location, CancellationToken cancellationToken)
    {
        var path = layout.PathOf(location);
        cancellationToken.ThrowIfCancellationRequested();
        await DiskThreads.RunAsync(() => PosixFile.Remove(path));
    }

    public async IAsyncEnumerable<StoredItem> ListAsync(byte shard, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The kernel gives names in pieces; a stop is heard between two of them.
        using var names = layout.List(shard).GetEnumerator();
        while (await DiskThreads.RunAsync(names.MoveNext))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return names.Current;
        }
    }

    public async ValueTask<Guid> OwnerAsync(Guid asking, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await DiskThreads.RunAsync(() => layout.Owner(asking));
    }

    public ValueTask<Uri?> RedirectAsync(BlobLocation location, CancellationToken cancellationToken) => default;

    public async ValueTask ProbeAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await DiskThreads.RunAsync(Probe);
    }

    private void Probe()
    {
        var path = layout.ProbePath();
        using var file = PosixFile.CreateNew(path);
        try
        {
            RandomAccess.Write(file, "gantry"u8, 0);
            PosixFile.Sync(file, path);
        }
        catch (IOException fault) when (PosixFile.MeansFull(fault))
        {
            throw new StorageFullException(fault);
        }
        finally
        {
            PosixFile.Remove(path);
        }
    }
}
