using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Events;

/// <summary>
/// Takes events out of the outbox, the oldest first. An event is pending from the commit of what it tells until a batch with it
/// commits; each is in one batch, whatever dies meanwhile. No order between batches of several nodes.
/// </summary>
public sealed class EventOutbox(IDbContextFactory<RegistryDbContext> contexts, IEnumerable<IEventFollower> followers)
{
    /// <summary>Events at a time; bounds the memory.</summary>
    public const int Batch = 200;

    private readonly List<IEventFollower> _followers = [.. followers];

    /// <returns>How many were taken; less than <see cref="Batch"/>: for now there are no more.</returns>
    public Task<int> FollowAsync(CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        var events = await db.Events.FromSql(
            $"SELECT * FROM events WHERE pending ORDER BY id LIMIT {Batch} FOR UPDATE SKIP LOCKED").AsNoTracking().ToListAsync(cancellationToken);
        if (events.Count == 0) return 0;

        foreach (var follower in _followers) await follower.FollowAsync(db, events, cancellationToken);
        var ids = events.ConvertAll(row => row.Id);
        await db.Database.ExecuteSqlAsync($"UPDATE events SET pending = false WHERE id = ANY ({ids})", cancellationToken);
        return events.Count;
    }, cancellationToken);
}
