using Gantry.Core.Data;

namespace Gantry.Core.Events;

/// <summary>
/// Makes rows of what happened: deliveries, counts to be made again, layers to be looked into. Called with every event once, a
/// batch at a time, in the transaction that takes them from the outbox, after the transaction that made them: what it
/// writes exists if and only if the event counts as followed. Nothing else may be done here: no bytes, no network.
/// </summary>
public interface IEventFollower
{
    /// <param name="events">In the order of their ids, at most <see cref="EventOutbox.Batch"/>. Several nodes may have a batch each at the same time.</param>
    Task FollowAsync(RegistryDbContext db, IReadOnlyList<EventRow> events, CancellationToken cancellationToken);
}
