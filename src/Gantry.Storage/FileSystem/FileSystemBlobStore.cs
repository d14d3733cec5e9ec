namespace Gantry.Storage.FileSystem;

/// <summary>Committed blobs as plain files. Readers take no lock: a file at a location never changes.</summary>
public sealed class FileSystemBlobStore(FileSystemLayout layout) : IBlobStore
{
    public ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken)
    {
        using var file = PosixFile.OpenForReading(layout.PathOf(location));
        return ValueTask.FromResult(file is null ? (long?)null : RandomAccess.GetLength(file));
    }

    public ValueTask<IBlobReader?> OpenAsync(BlobLocation location, CancellationToken cancellationToken)
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
