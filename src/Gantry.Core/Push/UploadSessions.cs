using System.IO.Pipelines;
using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Gantry.Oci.Http;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Push;

/// <summary>An upload as its client sees it.</summary>
/// <param name="Id">Names it in URLs.</param>
/// <param name="Offset">Bytes received and durable.</param>
public sealed record UploadStatus(Guid Id, long Offset);

/// <summary>
/// A chunk that does not go on where the upload stands, or a second writer: the client is told where to go on (416).
/// </summary>
public sealed class UploadOutOfOrderException(UploadStatus status, string reason) : Exception(reason)
{
    public UploadStatus Status { get; } = status;
}

/// <summary>
/// Uploads from their start until they are closed, cancelled or forgotten. The row exists before the first byte and
/// names the durable offset; bytes past it were never acknowledged.
/// </summary>
public sealed partial class UploadSessions(
    IDbContextFactory<RegistryDbContext> contexts,
    IUploadStaging staging,
    UploadClaims claims,
    DoomedLocations doomed,
    IOptions<PushOptions> options,
    TimeProvider time,
    ILogger<UploadSessions> logger)
{
    private TimeSpan Lifetime => options.Value.UploadLifetime;

    public async Task<UploadStatus> StartAsync(RepositoryName repository, DigestAlgorithm algorithm, string? account,
        CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        var (name, word) = (repository.ToString(), algorithm.Name());
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken))
        {
            await db.Database.ExecuteSqlAsync(
                $"""
                 INSERT INTO upload_sessions (id, repository, account, algorithm, expires_at)
                 VALUES ({id}, {name}, {account}, {word}, now() + {Lifetime})
                 """, cancellationToken);
        }

        Failpoint.Hit("upload-recorded");

        // The row owns the bytes already: where this fails, expiry cleans up.
        await staging.CreateAsync(id, algorithm, cancellationToken);
        return new UploadStatus(id, 0);
    }

    /// <summary>Null where the repository has no such upload.</summary>
    public async Task<UploadStatus?> FindAsync(RepositoryName repository, Guid id, CancellationToken cancellationToken)
    {
        var name = repository.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.UploadSessions.Where(row => row.Id == id && row.Repository == name)
            .Select(row => new UploadStatus(row.Id, row.StagingOffset)).SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>
    /// Appends a chunk and returns the new durable offset.
    /// </summary>
    /// <param name="range">Where the client says the chunk belongs; null: where the upload stands.</param>
    /// <exception cref="UploadOutOfOrderException">Another offset, or another writer at work.</exception>
    /// <exception cref="OciException"><see cref="OciErrorCode.BlobUploadUnknown"/>, SIZE_INVALID.</exception>
    public async Task<UploadStatus> AppendAsync(RepositoryName repository, Guid id, ContentRange? range, PipeReader body,
        CancellationToken cancellationToken)
    {
        await using var upload = await OpenAsync(repository, id, cancellationToken);
        if (upload.IsSealed) throw new OciException(OciErrorCode.BlobUploadUnknown, "the upload was closed before");
        try
        {
            await ReceiveAsync(upload, range, body, cancellationToken);
        }
        catch (Exception exception) when (exception is not (OciException or UploadOutOfOrderException))
        {
            // A cut connection: what arrived is kept, so that the client can go on from there.
            await KeepAsync(upload, CancellationToken.None);
            throw;
        }

        return await KeepAsync(upload, cancellationToken);
    }

    /// <summary>Takes the upload for this request alone; the row is read once no other writer can move it.</summary>
    internal async Task<OpenUpload> OpenAsync(RepositoryName repository, Guid id, CancellationToken cancellationToken)
    {
        UploadClaim? claim = null;
        IStagingWriter? writer = null;
        try
        {
            writer = await staging.OpenAsync(id, async token =>
            {
                claim = await claims.TryTakeAsync(repository, id, token);
                return claim?.State;
            }, cancellationToken);
            if (writer is not null) return new OpenUpload(claim!, writer, claims);
        }
        finally
        {
            if (writer is null && claim is not null) await claims.ReleaseAsync(claim, isFree: false);
        }

        throw await FindAsync(repository, id, cancellationToken) is { } status
            ? new UploadOutOfOrderException(status, "another request is writing to this upload")
            : new OciException(OciErrorCode.BlobUploadUnknown);
    }

    /// <summary>
    /// Writes a body behind what the upload has, and keeps none of it yet: a close that fails can be sent again as it was.
    /// </summary>
    internal async Task ReceiveAsync(OpenUpload upload, ContentRange? range, PipeReader body,
        CancellationToken cancellationToken)
    {
        var start = upload.Writer.Offset;
        if (range is { } claimed && claimed.Start != start)
            throw new UploadOutOfOrderException(new UploadStatus(upload.Id, start), $"the upload goes on at byte {start}");

        using var renewal = new CancellationTokenSource();
        var renewing = RenewWhileFlowingAsync(upload, renewal.Token);
        try
        {
            await upload.Writer.AppendAsync(body, cancellationToken);
        }
        finally
        {
            await renewal.CancelAsync();
            await renewing;
        }

        var received = upload.Writer.Offset - start;
        if (range is { } sent && sent.Length != received)
            throw new OciException(OciErrorCode.SizeInvalid, $"Content-Range names {sent.Length} bytes, the body had {received}");
    }

    /// <summary>Ends an upload without a blob. False: there was none.</summary>
    public async Task<bool> CancelAsync(RepositoryName repository, Guid id, CancellationToken cancellationToken)
    {
        var name = repository.ToString();
        var ended = await contexts.InTransactionAsync(async db =>
        {
            var rows = await db.Database.ExecuteSqlAsync(
                $"DELETE FROM upload_sessions WHERE id = {id} AND repository = {name}", cancellationToken);
            if (rows == 1) await db.DoomAsync(Doomed.Upload(id), cancellationToken);
            Failpoint.Hit("cancel-written");
            return rows == 1;
        }, cancellationToken);
        Failpoint.Hit("cancel-committed");
        if (ended) await doomed.SweepOneAsync(Doomed.Upload(id), cancellationToken);
        return ended;
    }

    private async Task<UploadStatus> KeepAsync(OpenUpload upload, CancellationToken cancellationToken)
    {
        var state = await upload.Writer.CheckpointAsync(cancellationToken);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE upload_sessions SET staging_offset = {state.Offset}, hash_state = {state.HashState},
                 backend_state = {state.Backend}, expires_at = now() + {Lifetime}, writer = NULL
             WHERE id = {upload.Id} AND epoch = {upload.Epoch}
             """, cancellationToken);
        Failpoint.Hit("append-recorded");
        if (rows == 0) throw new OciException(OciErrorCode.BlobUploadUnknown, "the upload was cancelled or taken over meanwhile");
        upload.IsFree = true;
        return new UploadStatus(upload.Id, state.Offset);
    }

    // A chunk may take hours: as long as bytes flow the upload does not expire, and as soon as they rest it does.
    private async Task RenewWhileFlowingAsync(OpenUpload upload, CancellationToken cancellationToken)
    {
        var seen = upload.Writer.Offset;
        using var timer = new PeriodicTimer(Lifetime / 4, time);
        while (await timer.NextTickAsync(cancellationToken))
        {
            var offset = upload.Writer.Offset;
            if (offset == seen) continue;
            try
            {
                await using var db = await contexts.CreateDbContextAsync(CancellationToken.None);
                await db.Database.ExecuteSqlAsync(
                    $"UPDATE upload_sessions SET expires_at = now() + {Lifetime} WHERE id = {upload.Id}", CancellationToken.None);
                seen = offset;
            }
            catch (Exception exception) when (DatabaseOutage.Is(exception))
            {
                // Three more ticks come before the upload expires; the bytes need not stop for this one.
                LogNotRenewed(logger, upload.Id, exception);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The expiry of upload {SessionId} could not be renewed")]
    private static partial void LogNotRenewed(ILogger logger, Guid sessionId, Exception exception);
}

/// <summary>An upload in the hands of one request.</summary>
internal sealed class OpenUpload(UploadClaim claim, IStagingWriter writer, UploadClaims claims) : IAsyncDisposable
{
    public Guid Id => claim.Id;

    /// <summary>Every statement on the row names it.</summary>
    public long Epoch => claim.Epoch;

    public IStagingWriter Writer => writer;

    public bool IsSealed => writer.IsSealed;

    /// <summary>Whether a statement already gave the row back, or removed it.</summary>
    public bool IsFree { get; set; }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await writer.DisposeAsync();
        }
        finally
        {
            await claims.ReleaseAsync(claim, IsFree);
        }
    }
}
