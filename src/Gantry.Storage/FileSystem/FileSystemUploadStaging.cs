using Gantry.Oci;
using Gantry.Storage.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Storage.FileSystem;

/// <summary>
/// One file an upload, held by an exclusive <c>flock</c> while a writer is open. The lock belongs to the inode: it stays
/// with the bytes across the rename of a commit, and the kernel frees it with a process that dies.
/// </summary>
public sealed class FileSystemUploadStaging(FileSystemLayout layout) : IUploadStaging
{
    public int ChunkMinLength => 0;

    public async ValueTask<StagingState> CreateAsync(Guid sessionId, DigestAlgorithm algorithm,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await DiskThreads.RunAsync(() => PosixFile.CreateNew(layout.StagingPath(sessionId)).Dispose());
        Failpoint.Hit("staging-created");

        using var digest = RunningDigest.Start(algorithm);
        return new StagingState(0, algorithm, digest.Save(), Backend: null);
    }

    public async ValueTask<IStagingWriter?> OpenAsync(Guid sessionId,
        Func<CancellationToken, ValueTask<StagingState?>> load, CancellationToken cancellationToken)
    {
        // 1. Take the file, staged or sealed.
        cancellationToken.ThrowIfCancellationRequested();
        var (found, file, isSealed) = await DiskThreads.RunAsync(() => Take(sessionId));
        if (found && file is null) return null;
        try
        {
            // 2. Only then ask what was acknowledged of it.
            if (await load(cancellationToken) is not { } state) return null;
            if (file is null) throw new StagingLostException(sessionId);

            // 3. Cut off what was not.
            var writer = await DiskThreads.RunAsync(() =>
                FileSystemStagingWriter.Over(file, layout, sessionId, state, isSealed));
            file = null;
            return writer;
        }
        finally
        {
            if (file is not null) PosixFile.CloseLocked(file);
        }
    }

    public async ValueTask DiscardAsync(Guid sessionId, Leftovers leftovers, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // In the order a commit moves: a rename that slips in between is met at the location.
        await DiskThreads.RunAsync(() =>
        {
            PosixFile.Remove(layout.StagingPath(sessionId));
            Failpoint.Hit("discard-staging-removed");
            if (leftovers == Leftovers.Everything) PosixFile.Remove(layout.PathOf(FileSystemLayout.LocationOf(sessionId)));
        });
    }

    /// <summary>The file, locked; or found and no file, where another writer holds it; or nothing found.</summary>
    private (bool Found, SafeFileHandle? File, bool IsSealed) Take(Guid sessionId)
    {
        // A rename goes from the first path to the second, so looking in this order cannot miss the file.
        foreach (var (path, isSealed) in new[]
            { (layout.StagingPath(sessionId), false), (layout.PathOf(FileSystemLayout.LocationOf(sessionId)), true) })
        {
            var file = PosixFile.OpenForWriting(path);
            if (file is null) continue;
            var taking = Taking.Moved;
            try
            {
                taking = Lock(file, path);
            }
            finally
            {
                if (taking != Taking.Taken) PosixFile.CloseLocked(file);
            }

            if (taking == Taking.Taken) return (Found: true, file, isSealed);
            if (taking == Taking.Held) return (Found: true, null, isSealed);
        }

        return (Found: false, null, false);
    }

    /// <summary>
    /// Whoever held the lock until now may have renamed or removed the file after we opened it; truncating then would
    /// cut a committed blob. Once it is ours nobody can: only the lock's holder renames.
    /// </summary>
    internal static Taking Lock(SafeFileHandle file, string path) =>
        !PosixFile.TryLock(file, path) ? Taking.Held : PosixFile.Exists(path) ? Taking.Taken : Taking.Moved;

    internal enum Taking
    {
        Taken,
        Held,
        Moved,
    }
}
