using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Deletes the bytes of <c>doomed_locations</c>. A node claims rows in a statement of its own, so that no transaction waits for a
/// store; a row goes last, once its bytes are gone. What a node claimed that is gone is due again at once, what a node forgot
/// is so later; the bytes are then deleted again, which succeeds.
/// </summary>
public sealed class DoomedLocations(
    IDbContextFactory<RegistryDbContext> contexts, NodePresence presence, IBlobStore store, IUploadStaging staging)
{
    private const int BatchSize = 500;

    /// <summary>A deletion is waiting, for a disk's journal or for S3: several wait for the same.</summary>
    private const int AtOnce = 4;

    /// <summary>When what the store would not delete is tried again; when a claim that nobody ended does not count any more.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1), ClaimFor = TimeSpan.FromMinutes(10);

    private static readonly string FreeOfTheGone =
        $"""
         UPDATE doomed_locations SET node = NULL, delete_after = now() WHERE location IN (
             SELECT location FROM doomed_locations WHERE node IS NOT NULL AND NOT {NodePresence.IsRunning("node")} FOR UPDATE SKIP LOCKED)
         """;

    /// <summary>Deletes up to so many that are due.</summary>
    public async Task<Reviewed> SweepAsync(int most, CancellationToken cancellationToken)
    {
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken))
            await db.Database.ExecuteSqlAsync(FormattableStringFactory.Create(FreeOfTheGone), cancellationToken);
        var node = await presence.NumberAsync(cancellationToken);
        return await SweepAsync(
            $"""
             UPDATE doomed_locations SET node = {node}, delete_after = now() + {ClaimFor} WHERE location IN (
                 SELECT location FROM doomed_locations WHERE delete_after <= now()
                 ORDER BY delete_after LIMIT {Math.Min(most, BatchSize)} FOR UPDATE SKIP LOCKED)
             RETURNING *
             """, cancellationToken);
    }

    /// <summary>Deletes one at once where it is due, instead of at the next sweep.</summary>
    internal async Task SweepOneAsync(Doomed bytes, CancellationToken cancellationToken)
    {
        var node = await presence.NumberAsync(cancellationToken);
        await SweepAsync(
            $"""
             UPDATE doomed_locations SET node = {node}, delete_after = now() + {ClaimFor}
             WHERE location = {bytes.Name} AND delete_after <= now()
             RETURNING *
             """, cancellationToken);
    }

    private async Task<Reviewed> SweepAsync(FormattableString claim, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.DoomedLocations.FromSql(claim).AsNoTracking().ToListAsync(cancellationToken);
        if (rows.Count == 0) return default;

        Failpoint.Hit("sweep-claimed");
        var gone = new ConcurrentBag<string>();
        try
        {
            await Parallel.ForEachAsync(rows, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                async (row, token) =>
                {
                    if (row.SessionId is not { } session) await store.DeleteAsync(new BlobLocation(row.Location), token);
                    else await staging.DiscardAsync(session, row.Kind == "upload" ? Leftovers.Everything : Leftovers.Staging, token);
                    gone.Add(row.Location);
                    Failpoint.Hit("sweep-one-deleted");
                });
            Failpoint.Hit("sweep-bytes-deleted");
        }
        finally
        {
            await SettleAsync(db, [.. gone], [.. rows.Select(row => row.Location).Except(gone, StringComparer.Ordinal)]);
        }

        Failpoint.Hit("sweep-done");
        return new Reviewed(rows.Count, rows.Count, rows.Count);
    }

    // Also where the store failed or the server stops: those that are left are anybody's again.
    private static async Task SettleAsync(RegistryDbContext db, string[] gone, string[] left)
    {
        await db.DoomedLocations.Where(row => gone.Contains(row.Location)).ExecuteDeleteAsync(CancellationToken.None);
        if (left.Length == 0) return;
        await db.Database.ExecuteSqlAsync(
            $"UPDATE doomed_locations SET node = NULL, delete_after = now() + {Pause} WHERE location = ANY ({left})", CancellationToken.None);
    }
}
