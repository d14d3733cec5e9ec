using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Scrub;

/// <summary>
/// Reads blobs again, one at a time, and quarantines what rotted. A blob is claimed by moving its <c>scrub_at</c> on, so no
/// transaction is open while bytes are read, and a node that dies only delays the blob it had.
/// </summary>
public sealed partial class BlobScrub(
    IDbContextFactory<RegistryDbContext> contexts, BlobReading reading, StoreCheck storeCheck, IOptions<ScrubOptions> options, TimeProvider time,
    ILogger<BlobScrub> logger)
{
    /// <summary>Renewed while a blob is read; longer than the store is silent before it is given up.</summary>
    private static readonly TimeSpan ClaimFor = TimeSpan.FromHours(1), RenewAfter = TimeSpan.FromMinutes(10);

    private static readonly Actor Self = new(null, null, null, "gantry-server scrub");

    /// <summary>Checks the blob that has been due for longest.</summary>
    /// <returns>Null where none is due.</returns>
    public Task<ScrubResult?> NextAsync(CancellationToken cancellationToken) => NextAsync(dueBy: null, cancellationToken);

    /// <summary>Checks all that are due when this begins.</summary>
    public async IAsyncEnumerable<ScrubResult> RunDueAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        DateTime now;
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken))
            now = (await db.Database.SqlQuery<DateTime>($"SELECT now() AS \"Value\"").ToListAsync(cancellationToken)).Single();
        while (await NextAsync(now, cancellationToken) is { } result) yield return result;
    }

    private async Task<ScrubResult?> NextAsync(DateTime? dueBy, CancellationToken cancellationToken)
    {
        BlobRow? blob;
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken))
        {
            blob = (await db.Blobs.FromSql(
                $"""
                 UPDATE blobs SET scrub_at = now() + {ClaimFor} WHERE digest = (
                     SELECT digest FROM blobs WHERE scrub_at <= coalesce({dueBy}::timestamptz, now())
                     ORDER BY scrub_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                 RETURNING *
                 """).AsNoTracking().ToListAsync(cancellationToken)).SingleOrDefault();
        }

        return blob is null ? null : await CheckAsync(blob, isNamed: false, cancellationToken);
    }

    /// <summary>Checks this blob now, due or not; what is not there is believed without a look at the rest of the store.</summary>
    public async Task<ScrubResult> CheckAsync(Digest digest, CancellationToken cancellationToken)
    {
        var text = digest.ToString();
        BlobRow? blob;
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken))
        {
            blob = (await db.Blobs.FromSql($"UPDATE blobs SET scrub_at = now() + {ClaimFor} WHERE digest = {text} RETURNING *")
                .AsNoTracking().ToListAsync(cancellationToken)).SingleOrDefault();
        }

        return blob is null
            ? new ScrubResult(digest, ScrubOutcome.Gone, "there is no such blob")
            : await CheckAsync(blob, isNamed: true, cancellationToken);
    }

    private async Task<ScrubResult> CheckAsync(BlobRow blob, bool isNamed, CancellationToken cancellationToken)
    {
        Failpoint.Hit("scrub-claimed");
        var digest = Digest.Parse(blob.Digest);
        BlobFault? fault;
        try
        {
            var renewed = time.GetTimestamp();
            Task RenewAsync() => time.GetElapsedTime(renewed) < RenewAfter ? Task.CompletedTask : RenewClaimAsync();
            async Task RenewClaimAsync()
            {
                await SetDueAsync(blob, ClaimFor, cancellationToken);
                renewed = time.GetTimestamp();
            }

            // What a single read says may be the memory's or the network's fault.
            fault = await reading.FindFaultAsync(blob, RenewAsync, cancellationToken);
            Failpoint.Hit("scrub-read");
            if (fault is not null)
            {
                await RenewAsync();
                fault = await reading.FindFaultAsync(blob, RenewAsync, cancellationToken);
            }

            if (fault is { IsAbsent: true } && !isNamed) await storeCheck.RequireOthersAsync(blob, cancellationToken);
        }
        catch (IOException outage)
        {
            return new ScrubResult(digest, ScrubOutcome.PutOff, outage.Message);
        }

        Failpoint.Hit("scrub-judged");
        return (fault, blob.QuarantinedAt) switch
        {
            (null, null) => await SetDueAsync(blob, options.Value.Interval, cancellationToken)
                ? new ScrubResult(digest, ScrubOutcome.Good) : Gone(digest),
            (null, _) => await BringBackAsync(blob, digest, cancellationToken),
            (_, null) => await QuarantineAsync(blob, digest, fault, cancellationToken),
            _ => await SetDueAsync(blob, options.Value.AgainAfter, cancellationToken)
                ? new ScrubResult(digest, ScrubOutcome.Rotten, Describe(blob, fault)) : Gone(digest),
        };
    }

    // A blob that was collected while it was read has no row any more, one that a push healed has another location: neither
    // is hit by a statement that names both.
    private async Task<ScrubResult> QuarantineAsync(BlobRow blob, Digest digest, BlobFault fault, CancellationToken cancellationToken)
    {
        var (again, detail) = (options.Value.AgainAfter, Describe(blob, fault));
        var isWritten = await contexts.InTransactionAsync(async db =>
        {
            var written = await db.Database.ExecuteSqlAsync(
                $"""
                 UPDATE blobs SET quarantined_at = now(), scrub_at = now() + {again}
                 WHERE digest = {blob.Digest} AND location = {blob.Location} AND quarantined_at IS NULL
                 """, cancellationToken);
            if (written == 0) return false;
            await db.AppendEventAsync(new Event(EventKinds.BlobQuarantine) { Digest = digest, Detail = detail }, Self, cancellationToken);
            Failpoint.Hit("scrub-written");
            return true;
        }, cancellationToken);
        if (!isWritten) return Gone(digest);

        LogQuarantined(logger, digest, blob.Size, detail);
        Failpoint.Hit("scrub-committed");
        return new ScrubResult(digest, ScrubOutcome.Rotten, detail);
    }

    private Task<ScrubResult> BringBackAsync(BlobRow blob, Digest digest, CancellationToken cancellationToken) =>
        contexts.InTransactionAsync(async db =>
        {
            var written = await db.Database.ExecuteSqlAsync(
                $"""
                 UPDATE blobs SET quarantined_at = NULL, scrub_at = now() + {options.Value.Interval}
                 WHERE digest = {blob.Digest} AND location = {blob.Location} AND quarantined_at IS NOT NULL
                 """, cancellationToken);
            if (written == 0) return Gone(digest);
            var detail = $"the right bytes are at {blob.Location} after all";
            await db.AppendEventAsync(new Event(EventKinds.BlobHeal) { Digest = digest, Detail = detail }, Self, cancellationToken);
            Failpoint.Hit("scrub-written");
            return new ScrubResult(digest, ScrubOutcome.Back, detail);
        }, cancellationToken);

    private async Task<bool> SetDueAsync(BlobRow blob, TimeSpan from, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Database.ExecuteSqlAsync(
            $"UPDATE blobs SET scrub_at = now() + {from} WHERE digest = {blob.Digest} AND location = {blob.Location}",
            cancellationToken) == 1;
    }

    private static string Describe(BlobRow blob, BlobFault fault) => $"{fault.Found} at {blob.Location}";

    private static ScrubResult Gone(Digest digest) => new(digest, ScrubOutcome.Gone, "it was removed or replaced meanwhile");

    [LoggerMessage(Level = LogLevel.Error, Message = "Blob {Digest} of {SizeBytes} bytes is quarantined: there is {Found}; a push of it heals")]
    private static partial void LogQuarantined(ILogger logger, Digest digest, long sizeBytes, string found);
}
