using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Bytes that lost their owner wait in <c>doomed_locations</c>, written in the transaction that took the owner away, and
/// are deleted once that has committed. The row goes last: a crash in between deletes again, which succeeds.
/// </summary>
public sealed class DoomedLocations(
    IDbContextFactory<RegistryDbContext> contexts, IBlobStore store, IUploadStaging staging)
{
    private const int BatchSize = 100;

    /// <summary>Deletes what is due, in batches claimed by row locks, so that any number of nodes may do it at once.</summary>
    /// <returns>How many locations went.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var total = 0;
        int swept;
        do
        {
            swept = await SweepAsync(location: null, cancellationToken);
            total += swept;
        }
        while (swept == BatchSize);

        return total;
    }

    /// <summary>Deletes one location at once where it is due, instead of at the next sweep.</summary>
    internal Task SweepOneAsync(string location, CancellationToken cancellationToken) =>
        SweepAsync(location, cancellationToken);

    private Task<int> SweepAsync(string? location, CancellationToken cancellationToken) =>
        contexts.InTransactionAsync(async db =>
        {
            var rows = await db.DoomedLocations.FromSql(
                $"""
                 SELECT * FROM doomed_locations
                 WHERE delete_after <= now() AND ({location}::text IS NULL OR location = {location})
                 ORDER BY delete_after LIMIT {BatchSize} FOR UPDATE SKIP LOCKED
                 """).AsNoTracking().ToListAsync(cancellationToken);
            foreach (var row in rows)
            {
                if (row.SessionId is { } session) await staging.DiscardAsync(session, cancellationToken);
                await store.DeleteAsync(new BlobLocation(row.Location), cancellationToken);
            }

            if (rows.Count > 0) Failpoint.Hit("sweep-bytes-deleted");
            var gone = rows.ConvertAll(row => row.Location);
            await db.DoomedLocations.Where(row => gone.Contains(row.Location)).ExecuteDeleteAsync(cancellationToken);
            return rows.Count;
        }, cancellationToken);
}

internal static class Dooming
{
    /// <summary>Hands bytes over to deletion; a staging goes with them where <paramref name="session"/> is set.</summary>
    public static Task DoomAsync(this RegistryDbContext db, string location, Guid? session,
        CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO doomed_locations (location, session_id) VALUES ({location}, {session})
             ON CONFLICT (location) DO NOTHING
             """, cancellationToken);
}
