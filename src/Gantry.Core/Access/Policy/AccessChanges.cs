using System.Collections.Frozen;
using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>
/// What of accounts and namespaces changed lately, in this process's memory: a bearer token that was decided upon
/// before such a change is looked at again, every other one passes without a query.
/// </summary>
/// <remarks>
/// Each change takes the next revision while it holds the counter's row, so revisions become visible in order and one
/// number says all that a node knows. A token carries the revision known before it was decided upon: no clock is
/// compared. <see cref="AccessChangeFeed"/> keeps this up to date; where it has not heard from the database for
/// <see cref="StaleAfter"/>, everything counts as changed, which costs queries and lets nobody in. At most
/// <see cref="Capacity"/> entries are kept, each as long as a bearer token can live; beyond, all tokens older than the
/// newest change are looked at again.
/// </remarks>
public sealed class AccessChanges(IDbContextFactory<RegistryDbContext> database, TimeProvider time) : IDisposable
{
    /// <summary>The channel that every change notifies.</summary>
    public const string Channel = "gantry_access";

    public static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(2);

    /// <summary>Longer than any bearer token lives (an hour), with the skew of clocks.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1) + (5 * SignedTokens.ClockSkew);
    private const int Capacity = 10_000;

    private readonly SemaphoreSlim _reading = new(1);
    private State _state = new(0, 0, FrozenDictionary<Subject, Change>.Empty);
    private long _heardAt = long.MinValue;

    /// <summary>All changes up to this one are known here.</summary>
    public long Revision => Volatile.Read(ref _state).Revision;

    /// <summary>Whether the database was heard from lately.</summary>
    public bool IsCurrent
    {
        get
        {
            var heard = Interlocked.Read(ref _heardAt);
            return heard != long.MinValue && time.GetElapsedTime(heard) < StaleAfter;
        }
    }

    /// <summary>Whether what was decided at a revision about an account, or in a namespace, may be another by now.</summary>
    public bool MayHaveChanged(string? account, string? name, long since)
    {
        if (!IsCurrent) return true;
        var state = Volatile.Read(ref _state);
        return since < state.Floor
            || (account is not null && state.ByName.TryGetValue(new Subject(true, account), out var change) && change.Revision > since)
            || (name is not null && state.ByName.TryGetValue(new Subject(false, name), out change) && change.Revision > since);
    }

    /// <summary>Reads what is new. Who made a change waits for this, so that its own node knows it before the answer.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken = default)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            var asked = time.GetTimestamp();
            await using var db = await database.CreateDbContextAsync(cancellationToken);
            var state = _state;

            // The counter first: all that it counts is visible to the statement after.
            var counter = (await db.Database.SqlQuery<long>($"""SELECT revision AS "Value" FROM access_revision""")
                .ToListAsync(cancellationToken)).Single();
            if (counter != state.Revision)
            {
                var rows = await db.Database.SqlQuery<ChangeRow>(
                    $"""
                     SELECT revision AS "Revision", account AS "Account", namespace AS "Namespace" FROM access_changes
                     WHERE revision > {state.Revision} ORDER BY revision LIMIT {Capacity + 1}
                     """).ToListAsync(cancellationToken);
                Volatile.Write(ref _state, Apply(state, counter, rows));
            }

            Interlocked.Exchange(ref _heardAt, asked);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Forgets, in the database, what is older than any bearer token.</summary>
    public async Task PruneAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync($"DELETE FROM access_changes WHERE at < now() - {2 * KeptFor}", cancellationToken);
    }

    public void Dispose() => _reading.Dispose();

    private State Apply(State state, long counter, List<ChangeRow> rows)
    {
        var now = time.GetTimestamp();
        var byName = state.ByName.Where(entry => time.GetElapsedTime(entry.Value.HeardAt, now) < KeptFor)
            .ToDictionary(entry => entry.Key, entry => entry.Value);
        foreach (var row in rows)
        {
            if (row.Account is not null) byName[new Subject(true, row.Account)] = new Change(row.Revision, now);
            if (row.Namespace is not null) byName[new Subject(false, row.Namespace)] = new Change(row.Revision, now);
        }

        var revision = Math.Max(counter, rows.Count > 0 ? rows[^1].Revision : 0);
        return byName.Count > Capacity || rows.Count > Capacity
            ? new State(counter, counter, FrozenDictionary<Subject, Change>.Empty)
            : new State(revision, state.Floor, byName.ToFrozenDictionary());
    }

    private sealed record State(long Revision, long Floor, FrozenDictionary<Subject, Change> ByName);

    private readonly record struct Subject(bool IsAccount, string Name);

    private readonly record struct Change(long Revision, long HeardAt);

    private sealed record ChangeRow(long Revision, string? Account, string? Namespace);
}

internal static class ChangeRecording
{
    /// <summary>
    /// Records, as the last statement of the transaction that changes it, that an account's or a namespace's rights are
    /// others now.
    /// </summary>
    public static Task RecordChangeAsync(
        this RegistryDbContext db, string? account, string? name, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync(
            $"""
             WITH next AS (UPDATE access_revision SET revision = revision + 1 RETURNING revision)
             INSERT INTO access_changes (revision, account, namespace) SELECT revision, {account}, {name} FROM next;
             SELECT pg_notify({AccessChanges.Channel}, '')
             """, cancellationToken);
}
