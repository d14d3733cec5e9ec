using Gantry.Oci;
using Gantry.Storage.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Storage.FileSystem;

/// <summary>
/// The open, locked file of one upload. Not for concurrent calls. Memory: two buffers of <see cref="BufferBytes"/> while
/// an append runs, one while a digest is read back, a few hundred bytes otherwise; the length of the upload is no factor.
/// </summary>
internal sealed partial class FileSystemStagingWriter : IStagingWriter
{
    private readonly SafeFileHandle _file;
    private readonly FileSystemLayout _layout;
    private readonly Guid _sessionId;
    private readonly DigestAlgorithm _algorithm;

    /// <summary>Over the bytes up to <see cref="Offset"/>; null where it was lost and is read back when asked for.</summary>
    private RunningDigest? _digest;

    private (long Offset, Digest Digest)? _readBack;

    /// <summary>True where the file holds, or lacks, something that no fsync has made durable yet.</summary>
    private bool _dirty;

    /// <summary>True where the file's name may not be durable: no checkpoint was ever acknowledged.</summary>
    private bool _nameIsNew;

    /// <summary>True where a failed write left bytes past <see cref="Offset"/>.</summary>
    private bool _tailIsForeign;

    /// <summary>
    /// After a failed fsync the kernel drops what it could not write and the next fsync reports success: nothing this
    /// writer still says about its bytes can be trusted. Opening the upload again starts from the last checkpoint.
    /// </summary>
    private Exception? _fatal;

    private FileSystemStagingWriter(SafeFileHandle file, FileSystemLayout layout, Guid sessionId, DigestAlgorithm algorithm) =>
        (_file, _layout, _sessionId, _algorithm) = (file, layout, sessionId, algorithm);

    public long Offset { get; private set; }

    public bool IsSealed { get; private set; }

    /// <summary>The commit renames the staging.</summary>
    public bool LeavesStaging => false;

    private string StagingPath => _layout.StagingPath(_sessionId);

    private BlobLocation Location => FileSystemLayout.LocationOf(_sessionId);

    /// <summary>Owns <paramref name="file"/>, which is locked, once it returns.</summary>
    public static FileSystemStagingWriter Over(SafeFileHandle file, FileSystemLayout layout, Guid sessionId,
        StagingState state, bool isSealed)
    {
        var length = RandomAccess.GetLength(file);
        if (length < state.Offset) throw new StagingLostException(sessionId);

        var writer = new FileSystemStagingWriter(file, layout, sessionId, state.Algorithm)
        {
            IsSealed = isSealed,
            Offset = isSealed ? length : state.Offset,
        };
        if (isSealed) return writer;

        if (length > state.Offset) RandomAccess.SetLength(file, state.Offset);
        writer._nameIsNew = state.Offset == 0;
        writer._dirty = writer._nameIsNew || length > state.Offset;
        writer._digest = state switch
        {
            { Offset: 0 } => RunningDigest.Start(state.Algorithm),
            { HashState: { } saved } => RunningDigest.Resume(state.Algorithm, state.Offset, saved),
            _ => null,
        };
        return writer;
    }

    public async ValueTask<StagingState> CheckpointAsync(CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        cancellationToken.ThrowIfCancellationRequested();
        if (!IsSealed && (_dirty || _nameIsNew))
        {
            await DiskThreads.RunAsync(() =>
            {
                SyncFile();
                Failpoint.Hit("checkpoint-file-durable");
                if (_nameIsNew) SyncDirectoryOf(StagingPath);
                _nameIsNew = false;
            });
        }

        Failpoint.Hit("checkpoint-durable");
        return new StagingState(Offset, _algorithm, _digest?.Save(), Backend: null);
    }

    public async ValueTask<BlobLocation> CommitAsync(CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        cancellationToken.ThrowIfCancellationRequested();
        await DiskThreads.RunAsync(Commit);
        return Location;
    }

    public ValueTask DisposeAsync()
    {
        _digest?.Dispose();
        PosixFile.CloseLocked(_file);
        return ValueTask.CompletedTask;
    }

    private void Commit()
    {
        var (from, to) = (StagingPath, _layout.PathOf(Location));
        if (!IsSealed)
        {
            // 1. The bytes are durable before anyone can see them.
            SyncFile();
            Failpoint.Hit("commit-sealed");

            // 2. They become visible whole, by one rename.
            if (!PosixFile.TryRename(from, to)) throw new StagingLostException(_sessionId);
            IsSealed = true;
            Failpoint.Hit("commit-renamed");
        }
        else if (!PosixFile.Exists(to)) throw new StagingLostException(_sessionId);

        // 3. The new name is durable before the old one is gone for good. Repeated for a sealed upload: the commit
        // that renamed it may have ended right there.
        SyncDirectoryOf(to);
        Failpoint.Hit("commit-location-durable");
        SyncDirectoryOf(from);
        Failpoint.Hit("commit-directories-durable");
    }

    private void SyncFile()
    {
        RemoveForeignTail();
        if (!_dirty) return;
        try
        {
            PosixFile.Sync(_file, StagingPath);
        }
        catch (IOException fault)
        {
            _fatal = fault;
            throw;
        }

        _dirty = false;
    }

    private void SyncDirectoryOf(string path)
    {
        try
        {
            PosixFile.SyncDirectory(FileSystemLayout.DirectoryOf(path));
        }
        catch (IOException fault)
        {
            _fatal = fault;
            throw;
        }
    }

    private void RemoveForeignTail()
    {
        if (!_tailIsForeign) return;
        RandomAccess.SetLength(_file, Offset);
        (_tailIsForeign, _dirty) = (false, true);
    }

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(_file.IsClosed, this);
        if (_fatal is not null)
            throw new IOException("an earlier fsync of this upload failed; open it again at its last checkpoint", _fatal);
    }
}
