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
}

/// <summary>Reads the audit trail, newest first, a page at a time by id.</summary>
public sealed class AuditListing(IDbContextFactory<RegistryDbContext> database)
{
    /// <summary>The largest page; bounds the memory of a listing.</summary>
    public const int MaxPage = 1000;

    /// <param name="before">Only events before this id; null: from the newest on.</param>
    public async Task<IReadOnlyList<EventRow>> PageAsync(
        AuditFilter filter, long? before, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var events = db.Events.AsNoTracking();
        if (before is { } id) events = events.Where(row => row.Id < id);
        if (filter.Account is { } account) events = events.Where(row => row.Account == account || row.Subject == account);
        if (filter.Namespace is { } name) events = events.Where(row => row.Namespace == name);
        if (filter.Repository is { } repository) events = events.Where(row => row.Repository == repository);
        if (filter.Kind is { } kind) events = events.Where(row => row.Kind == kind);
        return await events.OrderByDescending(row => row.Id).Take(limit).ToListAsync(cancellationToken);
    }

    /// <summary>
    /// The last runs of garbage collection that somebody asked for, newest first. By an index of their own, which a statement only uses that names the kind itself:
    /// they are few, and between two of them there may be millions of others.
    /// </summary>
    public async Task<IReadOnlyList<EventRow>> RunsAsync(int limit, CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        return await db.Events.FromSql($"SELECT * FROM events WHERE kind = 'gc.run' ORDER BY id DESC LIMIT {limit}").AsNoTracking().ToListAsync(cancellationToken);
    }
}
