using System.Collections.Concurrent;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Pull;

/// <summary>
/// Counts pulls in memory; a node writes what it counted every few seconds, in one statement, and at its end. A node that is killed
/// loses what it had not written. Counting what was counted lately allocates nothing and takes no lock.
/// </summary>
/// <remarks>
/// Clients that ask for a tag with HEAD fetch the digest behind it afterwards, which is how Kubernetes pulls: a pull by digest counts for
/// the tags that point at it too, at most <see cref="MostTags"/>. What an index holds is fetched after the index: a repository's pulls
/// count the index alone.
/// </remarks>
public sealed class PullCounts(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>How many references are counted at once; with names of at most 255 and 136 characters that is 10 MB. Beyond, new ones are not counted.</summary>
    public const int Capacity = 10_000;

    private const int MostTags = 100;

    private readonly ConcurrentDictionary<(RepositoryName Repository, string Reference), Counter> _counters = [];
    private TaskCompletionSource _full = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _size;

    /// <summary>Completes when there is no room for more: somebody should write.</summary>
    public Task Full => Volatile.Read(ref _full).Task;

    /// <param name="reference">A tag or a digest that there is.</param>
    public void Count(RepositoryName repository, string reference)
    {
        var key = (repository, reference);
        while (true)
        {
            if (_counters.TryGetValue(key, out var counter))
            {
                if (counter.TryCount()) return;
                // Retired just now, and about to go.
                Remove(key, counter);
            }
            else if (Volatile.Read(ref _size) >= Capacity)
            {
                Volatile.Read(ref _full).TrySetResult();
                return;
            }
            else if (_counters.TryAdd(key, new Counter()))
            {
                Interlocked.Increment(ref _size);
            }
        }
    }

    /// <summary>Writes what was counted since the last time. Where that fails it is kept for the next.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        var taken = new List<((RepositoryName Repository, string Reference) Key, Counter Counter, long Pulls)>();
        foreach (var (key, counter) in _counters)
        {
            var pulls = counter.Take();
            if (pulls > 0) taken.Add((key, counter, pulls));
            // Nobody pulled it since the last time.
            else if (counter.TryRetire()) Remove(key, counter);
        }

        Volatile.Write(ref _full, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (taken.Count == 0) return;
        try
        {
            await WriteAsync([.. taken.Select(one => one.Key.Repository.ToString())], [.. taken.Select(one => one.Key.Reference)],
                [.. taken.Select(one => one.Pulls)], cancellationToken);
        }
        catch
        {
            foreach (var (_, counter, pulls) in taken) counter.GiveBack(pulls);
            throw;
        }
    }

    // Tags in the order of their names, as each writer has them; a tag that is just being deleted fails the foreign key, and it all runs again.
    private Task WriteAsync(string[] repositories, string[] references, long[] pulls, CancellationToken cancellationToken) =>
        contexts.InTransactionAsync(db => db.Database.ExecuteSqlAsync(
            $"""
             WITH counted AS MATERIALIZED (
                 SELECT r.id, c.reference, c.pulls FROM unnest({repositories}, {references}, {pulls}) c (repository, reference, pulls)
                     JOIN repositories r ON r.name = c.repository),
             tagged AS (
                 INSERT INTO tag_pulls AS p (repository_id, name, pulled_at, pulls)
                 SELECT id, name, now(), sum(pulls) FROM (
                     SELECT c.id, t.name, c.pulls FROM counted c CROSS JOIN LATERAL (
                         SELECT name FROM tags WHERE repository_id = c.id AND name = c.reference LIMIT 1) t
                     UNION ALL
                     SELECT c.id, t.name, c.pulls FROM counted c CROSS JOIN LATERAL (
                         SELECT name FROM tags WHERE repository_id = c.id AND manifest_digest = c.reference LIMIT {MostTags}) t
                     WHERE strpos(c.reference, ':') > 0) found
                 GROUP BY id, name ORDER BY id, name
                 ON CONFLICT (repository_id, name) DO UPDATE SET pulled_at = excluded.pulled_at, pulls = p.pulls + excluded.pulls)
             INSERT INTO repository_statistics AS s (repository_id, pulled_at, pulls)
             SELECT c.id, now(), coalesce(sum(c.pulls) FILTER (WHERE held.by_index IS NULL), 0) FROM counted c LEFT JOIN LATERAL (
                 SELECT true AS by_index FROM manifest_references WHERE repository_id = c.id AND child_digest = c.reference LIMIT 1) held ON true
             GROUP BY c.id ORDER BY c.id
             ON CONFLICT (repository_id) DO UPDATE SET pulled_at = excluded.pulled_at, pulls = s.pulls + excluded.pulls
             """, cancellationToken), cancellationToken);

    private void Remove((RepositoryName Repository, string Reference) key, Counter counter)
    {
        if (_counters.TryRemove(KeyValuePair.Create(key, counter))) Interlocked.Decrement(ref _size);
    }

    /// <summary>Counts until it is retired, which it is only at zero: no pull is lost between a count and a write.</summary>
    private sealed class Counter
    {
        private const long Retired = long.MinValue / 2;
        private long _pulls;

        public bool TryCount() => Interlocked.Increment(ref _pulls) > 0;

        public long Take() => Volatile.Read(ref _pulls) is > 0 ? Interlocked.Exchange(ref _pulls, 0) : 0;

        public bool TryRetire() => Interlocked.CompareExchange(ref _pulls, Retired, 0) is 0 or < 0;

        public void GiveBack(long pulls) => Interlocked.Add(ref _pulls, pulls);
    }
}
