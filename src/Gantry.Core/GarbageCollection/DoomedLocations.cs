using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Deletes the bytes of <c>doomed_locations</c>. A row is claimed by moving its time on, in a statement of its own, so that no
/// transaction waits for a store; it goes last, once its bytes are gone. Where a node or the store fails in between, the claim
/// runs out and the bytes are deleted again, which succeeds.
/// </summary>
public sealed class DoomedLocations(
    IDbContextFactory<RegistryDbContext> contexts, IBlobStore store, IUploadStaging staging)
{
    private const int BatchSize = 100;

    /// <summary>Longer than a batch takes at a store that answers.</summary>
    private static readonly TimeSpan ClaimFor = TimeSpan.FromMinutes(5);

    /// <summary>Deletes what is due.</summary>
    /// <returns>How many rows went.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var total = 0;
        int swept;
        do
        {
            swept = await SweepBatchAsync(BatchSize, cancellationToken);
            total += swept;
        }
        while (swept == BatchSize);

        return total;
    }

    /// <summary>Deletes up to so many that are due.</summary>
    /// <returns>How many there were.</returns>
    internal Task<int> SweepBatchAsync(int most, CancellationToken cancellationToken) => SweepAsync(
        $"""
         UPDATE doomed_locations SET delete_after = now() + {ClaimFor} WHERE location IN (
             SELECT location FROM doomed_locations WHERE delete_after <= now()
             ORDER BY delete_after LIMIT {Math.Min(most, BatchSize)} FOR UPDATE SKIP LOCKED)
         RETURNING *
         """, cancellationToken);

    /// <summary>Deletes one at once where it is due, instead of at the next sweep.</summary>
    internal Task SweepOneAsync(Doomed bytes, CancellationToken cancellationToken) => SweepAsync(
        $"""
         UPDATE doomed_locations SET delete_after = now() + {ClaimFor} WHERE location = {bytes.Name} AND delete_after <= now()
         RETURNING *
         """, cancellationToken);

    private async Task<int> SweepAsync(FormattableString claim, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.DoomedLocations.FromSql(claim).AsNoTracking().ToListAsync(cancellationToken);
        if (rows.Count == 0) return 0;

        Failpoint.Hit("sweep-claimed");
        foreach (var row in rows)
        {
            if (row.SessionId is not { } session) await store.DeleteAsync(new BlobLocation(row.Location), cancellationToken);
            else await staging.DiscardAsync(session, row.Kind == "upload" ? Leftovers.Everything : Leftovers.Staging, cancellationToken);
            Failpoint.Hit("sweep-one-deleted");
        }

        Failpoint.Hit("sweep-bytes-deleted");
        var gone = rows.ConvertAll(row => row.Location);
        await db.DoomedLocations.Where(row => gone.Contains(row.Location)).ExecuteDeleteAsync(cancellationToken);
        Failpoint.Hit("sweep-done");
        return rows.Count;
    }
}
