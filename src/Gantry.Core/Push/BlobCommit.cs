using System.IO.Pipelines;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Gantry.Oci.Http;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Push;

/// <summary>
/// Closes an upload: last bytes, digest compared, bytes durable at their location, then blob row, link and the end of
/// the session in one transaction. Only after it may the client hear 201.
/// </summary>
public sealed class BlobCommit(
    IDbContextFactory<RegistryDbContext> contexts, UploadSessions sessions, DoomedLocations doomed, Linking linking)
{
    /// <summary>
    /// Closes the upload as <paramref name="digest"/>. May be asked for again at any time, also after a crash between
    /// any two of its steps: the blob it would make is then there already, and that is success.
    /// </summary>
    /// <exception cref="OciException">DIGEST_INVALID (nothing is committed), SIZE_INVALID, BLOB_UPLOAD_UNKNOWN.</exception>
    /// <exception cref="UploadOutOfOrderException">The body does not go on where the upload stands.</exception>
    public async Task CloseAsync(RepositoryName repository, Guid id, Digest digest, ContentRange? range, PipeReader body,
        Actor actor, CancellationToken cancellationToken)
    {
        try
        {
            await using var upload = await sessions.OpenAsync(repository, id, cancellationToken);

            // 1. The last bytes. Sealed bytes take none: they are the whole blob of a close that a crash cut short.
            if (!upload.IsSealed) await sessions.ReceiveAsync(upload, range, body, cancellationToken);
            Failpoint.Hit("close-received");

            // 2. The digest, computed while the bytes flowed by.
            var actual = await upload.Writer.DigestAsync(digest.Algorithm, cancellationToken);
            if (actual != digest)
                throw new OciException(OciErrorCode.DigestInvalid, $"the upload's content has the digest {actual}");
            Failpoint.Hit("close-digest-compared");

            // 3. Bytes durable at their location.
            var size = upload.Writer.Offset;
            var location = await upload.Writer.CommitAsync(cancellationToken);
            Failpoint.Hit("close-bytes-committed");

            // 4. Rows. From the transaction's commit on the blob is visible.
            var live = await RecordAsync(repository, id, digest, size, location, actor, cancellationToken);
            Failpoint.Hit("close-rows-committed");

            // 5. Another upload of the same digest was first: its copy stays, ours goes.
            if (live != location.Value) await doomed.SweepOneAsync(location.Value, cancellationToken);
            Failpoint.Hit("close-done");
        }
        catch (OciException exception) when (exception.Code == OciErrorCode.BlobUploadUnknown)
        {
            // The 201 of an earlier close may have been lost on its way.
            if (!await IsLinkedAsync(repository, digest, cancellationToken)) throw;
        }
    }

    private Task<string> RecordAsync(RepositoryName repository, Guid session, Digest digest, long size,
        BlobLocation location, Actor actor, CancellationToken cancellationToken)
    {
        var (digestText, locationText) = (digest.ToString(), location.Value);
        return contexts.InTransactionAsync(async db =>
        {
            var ended = await db.Database.ExecuteSqlAsync(
                $"DELETE FROM upload_sessions WHERE id = {session}", cancellationToken);
            if (ended == 0) throw new OciException(OciErrorCode.BlobUploadUnknown, "the upload was cancelled meanwhile");

            Failpoint.Hit("close-session-ended");

            // DO UPDATE, not DO NOTHING: it waits for, and then sees, whoever holds the row.
            var live = (await db.Database.SqlQuery<string>(
                $"""
                 INSERT INTO blobs (digest, size, location) VALUES ({digestText}, {size}, {locationText})
                 ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest
                 RETURNING location AS "Value"
                 """).ToListAsync(cancellationToken)).Single();
            if (live != locationText) await db.DoomAsync(locationText, session, cancellationToken);

            Failpoint.Hit("close-blob-written");
            await linking.LinkAsync(db, repository, digest, actor, cancellationToken);
            Failpoint.Hit("close-rows-written");
            return live;
        }, cancellationToken);
    }

    private async Task<bool> IsLinkedAsync(RepositoryName repository, Digest digest, CancellationToken cancellationToken)
    {
        var text = digest.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.FindRepositoryAsync(repository, cancellationToken) is { } id && await db.BlobLinks.AnyAsync(
            row => row.RepositoryId == id && row.Digest == text && row.DeletedAt == null, cancellationToken);
    }
}

/// <summary>Gives repositories their right to a blob.</summary>
public sealed class Linking(NewRepositories repositories)
{
    /// <summary>Gives a repository its right to a blob, new or renewed; the blob row is locked against removal by it.</summary>
    internal async Task LinkAsync(RegistryDbContext db, RepositoryName repository, Digest digest,
        Actor actor, CancellationToken cancellationToken)
    {
        var id = await repositories.GetOrAddAsync(db, repository, actor, cancellationToken);
        var text = digest.ToString();
        await db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO blob_links (repository_id, digest) VALUES ({id}, {text})
             ON CONFLICT (repository_id, digest) DO UPDATE SET touched_at = now(), deleted_at = NULL
             """, cancellationToken);
    }
}
