using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>
/// Counts repositories that changed, one at a time. Claimed by moving <c>count_at</c> on, without a lock while it counts: who marks one
/// stale meanwhile (a follower, a review) never waits, and it stays stale. A node that ends while it counts leaves it to the next
/// once the claim has run out; what a node counted that lost its claim is dropped.
/// </summary>
public sealed class RepositoryCounting(IDbContextFactory<RegistryDbContext> contexts, TimeProvider time)
{
    private static readonly TimeSpan ClaimFor = TimeSpan.FromMinutes(1), RenewAfter = TimeSpan.FromSeconds(20);

    /// <summary>A repository rests after a count, the longer the more work it was: one that is pushed to all the time is counted a twentieth of it.</summary>
    private static readonly TimeSpan LeastRest = TimeSpan.FromSeconds(5), MostRest = TimeSpan.FromMinutes(10);
    private const int RestFactor = 20;

    /// <returns>False: none is due.</returns>
    public async Task<bool> CountNextAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var claimed = await db.Database.SqlQuery<Claim>(
            $"""
             UPDATE repository_statistics SET count_at = clock_timestamp() + {ClaimFor} WHERE repository_id = (
                 SELECT repository_id FROM repository_statistics WHERE stale_since IS NOT NULL AND count_at <= now()
                 ORDER BY count_at LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING repository_id AS "Id", stale_since AS "StaleSince", count_at AS "Until", now() AS "Begun"
             """).ToListAsync(cancellationToken);
        if (claimed.Count == 0) return false;

        var (start, claim) = (time.GetTimestamp(), claimed[0]);
        var renewed = start;
        var counted = await db.MeasureAsync(claim.Id, RenewAsync, cancellationToken);
        var rest = TimeSpan.FromTicks(Math.Clamp(time.GetElapsedTime(start).Ticks * RestFactor, LeastRest.Ticks, MostRest.Ticks));
        await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE repository_statistics SET size = {counted.Size}, own = {counted.Own}, reclaimable = {counted.Reclaimable},
                 manifests = {counted.Manifests}, tags = {counted.Tags}, counted_at = {claim.Begun}, count_at = now() + {rest},
                 stale_since = CASE WHEN stale_since <> {claim.StaleSince} THEN stale_since END
             WHERE repository_id = {claim.Id} AND count_at = {claim.Until}
             """, cancellationToken);
        return true;

        async Task RenewAsync()
        {
            if (time.GetElapsedTime(renewed) < RenewAfter) return;
            renewed = time.GetTimestamp();
            var until = await db.Database.SqlQuery<DateTimeOffset>(
                $"""
                 UPDATE repository_statistics SET count_at = clock_timestamp() + {ClaimFor}
                 WHERE repository_id = {claim.Id} AND count_at = {claim.Until} RETURNING count_at AS "Value"
                 """).ToListAsync(cancellationToken);
            if (until.Count > 0) claim = claim with { Until = until[0] };
        }
    }

    private sealed record Claim(long Id, DateTimeOffset StaleSince, DateTimeOffset Until, DateTimeOffset Begun);
}
