using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Events;

/// <summary>Which events to show; null: whichever.</summary>
public sealed record AuditFilter
{
    /// <summary>Who did it, or to whom it was done.</summary>
    public string? Account { get; init; }

    public string? Namespace { get; init; }

    public string? Repository { get; init; }

    /// <summary>One of <see cref="EventKinds"/>.</summary>
    public string? Kind { get; init; }

    /// <summary>What happened then or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>What happened before.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>
/// Reads the audit trail, newest first, a page at a time by id. What is asked for has an index that ends with the id, so that a rare value is not looked for
/// among all events; of several, PostgreSQL takes the rarest and looks at its events.
/// </summary>
public sealed class AuditListing(IDbContextFactory<RegistryDbContext> database)
{
    /// <summary>The largest page; bounds the memory of a listing.</summary>
    public const int MaxPage = 1000;

    // An event has the time at which its transaction began, and a number a little later. Transactions take milliseconds, or as long as they wait for locks.
    private static readonly TimeSpan LongestTransaction = TimeSpan.FromMinutes(10);

    /// <param name="before">Only events before this id; null: from the newest on.</param>
    public async Task<IReadOnlyList<EventRow>> PageAsync(
        AuditFilter filter, long? before, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var events = db.Events.AsNoTracking();
        if (before is { } id) events = events.Where(row => row.Id < id);
        if (filter.From is { } from)
        {
            var first = await FirstSinceAsync(db, from - LongestTransaction, cancellationToken);
            events = events.Where(row => row.Id >= first && row.At >= from);
        }

        if (filter.Until is { } until)
        {
            var end = await FirstSinceAsync(db, until + LongestTransaction, cancellationToken);
            events = events.Where(row => row.Id < end && row.At < until);
        }

        if (filter.Namespace is { } name) events = events.Where(row => row.Namespace == name);
        if (filter.Repository is { } repository) events = events.Where(row => row.Repository == repository);
        if (filter.Kind is { } kind) events = events.Where(row => row.Kind == kind);
        // With an OR PostgreSQL would read all events backwards, or sort all of the account's.
        if (filter.Account is { } account)
            events = Newest(events.Where(row => row.Account == account)).Union(Newest(events.Where(row => row.Subject == account)));
        return await Newest(events).ToListAsync(cancellationToken);

        IQueryable<EventRow> Newest(IQueryable<EventRow> of) => of.OrderByDescending(row => row.Id).Take(limit);
    }

    /// <summary>
    /// The first id since a time, or one that no event has yet. Times grow with ids, nearly: halving the ids finds it in some thirty looks at the primary key.
    /// An index by time would cost each push, and say nothing about the order of pages.
    /// </summary>
    private static async Task<long> FirstSinceAsync(RegistryDbContext db, DateTimeOffset time, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<long>(
            $"""
             WITH RECURSIVE look (low, high) AS (
                 SELECT min(id), max(id) + 1 FROM events
                 UNION ALL
                 SELECT CASE WHEN e.at < {time} THEN e.id + 1 ELSE low END, CASE WHEN e.at < {time} THEN high ELSE middle END
                 FROM look, LATERAL (SELECT low + (high - low) / 2) m (middle), LATERAL (SELECT id, at FROM events WHERE id >= middle ORDER BY id LIMIT 1) e
                 WHERE low < high)
             SELECT coalesce(max(low), 0) AS "Value" FROM look
             """).ToListAsync(cancellationToken)).Single();
}
