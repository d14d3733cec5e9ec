using System.IO.Pipelines;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;
using Gantry.Core.Scrub;
using Gantry.Oci;
using Gantry.Oci.Http;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Push;

/// <summary>
/// Closes an upload: last bytes, digest compared, bytes durable at their location, then blob row, link and the end of
/// the session in one transaction. Only after it may the client hear 201.
/// </summary>
public sealed class BlobCommit(
    IDbContextFactory<RegistryDbContext> contexts, UploadSessions sessions, DoomedLocations doomed, Linking linking,
    IOptions<GcOptions> gc, IOptions<ScrubOptions> scrub)
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
            var leftover = await RecordAsync(upload, repository, digest, size, location, actor, cancellationToken);
            upload.IsFree = true;
            Failpoint.Hit("close-rows-committed");

            // 5. What is not needed any more goes: a copy that lost to another upload of the same digest, pieces of ours.
            if (leftover is { } left) await doomed.SweepOneAsync(left, cancellationToken);
            Failpoint.Hit("close-done");
        }
        catch (OciException exception) when (exception.Code == OciErrorCode.BlobUploadUnknown)
        {
            // The 201 of an earlier close may have been lost on its way.
            if (!await IsLinkedAsync(repository, digest, cancellationToken)) throw;
        }
    }

    private Task<Doomed?> RecordAsync(OpenUpload upload, RepositoryName repository, Digest digest, long size,
        BlobLocation location, Actor actor, CancellationToken cancellationToken)
    {
        var (digestText, locationText) = (digest.ToString(), location.Value);
        return contexts.InTransactionAsync(async db =>
        {
            var ended = await db.Database.ExecuteSqlAsync(
                $"DELETE FROM upload_sessions WHERE id = {upload.Id} AND epoch = {upload.Epoch}", cancellationToken);
            if (ended == 0)
                throw new OciException(OciErrorCode.BlobUploadUnknown, "the upload was cancelled or taken over meanwhile");

            Failpoint.Hit("close-session-ended");

            // DO UPDATE, not DO NOTHING: it waits for, and then sees, whoever holds the row. The digest has just been
            // computed: a scrub has no reason to read it again before its interval is over.
            var live = (await db.Database.SqlQuery<LiveBlob>(
                $"""
                 INSERT INTO blobs (digest, size, location, scrub_at)
                 VALUES ({digestText}, {size}, {locationText}, now() + {scrub.Value.Interval})
                 ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest
                 RETURNING location AS "Location", quarantined_at IS NOT NULL AS "IsQuarantined"
                 """).ToListAsync(cancellationToken)).Single();
            if (live.IsQuarantined) await HealAsync(db, digestText, size, locationText, live.Location, actor, cancellationToken);
            Doomed? leftover = live.Location != locationText && !live.IsQuarantined ? Doomed.Upload(upload.Id)
                : upload.Writer.LeavesStaging ? Doomed.Staging(upload.Id) : null;
            if (leftover is { } left) await db.DoomAsync(left, cancellationToken);

            Failpoint.Hit("close-blob-written");
            await linking.LinkAsync(db, repository, digest, actor, cancellationToken);
            Failpoint.Hit("close-rows-written");
            return leftover;
        }, cancellationToken);
    }

    /// <summary>The copy that rotted gives way to the one that came; its bytes go after the delay for those who still read it.</summary>
    private async Task HealAsync(RegistryDbContext db, string digest, long size, string location, string rotten, Actor actor,
        CancellationToken cancellationToken)
    {
        await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE blobs SET location = {location}, size = {size}, quarantined_at = NULL, scrub_at = now() + {scrub.Value.Interval}
             WHERE digest = {digest}
             """, cancellationToken);
        await db.DoomAsync(Doomed.Location(new BlobLocation(rotten)), cancellationToken, gc.Value.ByteDelay);
        await db.AppendEventAsync(new Event(EventKinds.BlobHeal) { Digest = Digest.Parse(digest) }, actor, cancellationToken);
    }

    private sealed record LiveBlob(string Location, bool IsQuarantined);

    private async Task<bool> IsLinkedAsync(RepositoryName repository, Digest digest, CancellationToken cancellationToken)
    {
        var text = digest.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.FindRepositoryAsync(repository, cancellationToken) is { } id && await (
            from link in db.BlobLinks
            join blob in db.Blobs on link.Digest equals blob.Digest
            where link.RepositoryId == id && link.Digest == text && link.DeletedAt == null && blob.QuarantinedAt == null
            select link).AnyAsync(cancellationToken);
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
