using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>
/// Has repositories counted again after what happened to them, and keeps who pushed a manifest last. What happens without an event
/// is <see cref="StaleMarking"/>'s and <see cref="NewLinks"/>'.
/// </summary>
internal sealed class StatisticsFollower : IEventFollower
{
    public async Task FollowAsync(RegistryDbContext db, IReadOnlyList<EventRow> events, CancellationToken cancellationToken)
    {
        var changes = events.Where(row => row.Repository is not null && IsChange(row.Kind)).ToList();
        if (changes.Count == 0) return;

        // Manifests before statistics, as the reviews have them.
        await KeepPushesAsync(db, [.. changes.Where(row => row is { Kind: EventKinds.Push, Digest: not null })], cancellationToken);
        await KeepTagsAsync(db, [.. changes.Where(row => row is { Tag: not null, Kind: EventKinds.Push or EventKinds.TagRestore or EventKinds.ManifestRestore })],
            cancellationToken);
        await MarkAsync(db, changes, cancellationToken);
    }

    private static bool IsChange(string kind) => kind
        is EventKinds.Push
        or EventKinds.TagDelete or EventKinds.ManifestDelete or EventKinds.BlobDelete
        or EventKinds.TagRestore or EventKinds.ManifestRestore or EventKinds.BlobRestore;

    private static Task KeepPushesAsync(RegistryDbContext db, List<EventRow> pushes, CancellationToken cancellationToken)
    {
        if (pushes.Count == 0) return Task.CompletedTask;
        var last = pushes.GroupBy(row => (row.Repository, row.Digest)).Select(same => same.Last()).ToList();
        var (repositories, digests) = (last.ConvertAll(row => row.Repository!).ToArray(), last.ConvertAll(row => row.Digest!).ToArray());
        var (accounts, times) = (last.ConvertAll(row => row.Account).ToArray(), last.ConvertAll(row => row.At).ToArray());
        // A manifest that is gone by now needs no row.
        return db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO manifest_facts (repository_id, digest, account, pushed_at)
             SELECT r.id, m.digest, p.account, p.at
             FROM unnest({repositories}, {digests}, {accounts}, {times}) p (repository, digest, account, at) JOIN repositories r ON r.name = p.repository
                 CROSS JOIN LATERAL (SELECT digest FROM manifests WHERE repository_id = r.id AND digest = p.digest LIMIT 1) m
             ORDER BY r.id, m.digest
             ON CONFLICT (repository_id, digest) DO UPDATE SET account = excluded.account, pushed_at = excluded.pushed_at
                 WHERE manifest_facts.pushed_at IS NULL OR manifest_facts.pushed_at <= excluded.pushed_at
             """, cancellationToken);
    }

    /// <summary>
    /// A row for each tag that came, never pulled: a listing by pulls, or by size, is a scan of these. The size of a manifest that has none yet
    /// comes with its facts, whose row this transaction holds by then or finds made.
    /// </summary>
    private static Task KeepTagsAsync(RegistryDbContext db, List<EventRow> made, CancellationToken cancellationToken)
    {
        if (made.Count == 0) return Task.CompletedTask;
        var tags = made.SelectMany(row => row.Tag!.Split(' ').Select(tag => (Repository: row.Repository!, Tag: tag))).Distinct().ToList();
        var (repositories, names) = (tags.ConvertAll(tag => tag.Repository).ToArray(), tags.ConvertAll(tag => tag.Tag).ToArray());
        return db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO tag_pulls (repository_id, name, pulled_at, pulls, size)
             SELECT r.id, t.name, '-infinity', 0, coalesce(x.size, 0)
             FROM unnest({repositories}, {names}) n (repository, name) JOIN repositories r ON r.name = n.repository
                 CROSS JOIN LATERAL (SELECT name, manifest_digest FROM tags WHERE repository_id = r.id AND name = n.name LIMIT 1) t
                 LEFT JOIN LATERAL (SELECT size FROM manifest_facts WHERE repository_id = r.id AND digest = t.manifest_digest LIMIT 1) x ON true
             ORDER BY r.id, t.name
             ON CONFLICT (repository_id, name) DO UPDATE SET size = excluded.size WHERE tag_pulls.size <> excluded.size
             """, cancellationToken);
    }

    private static Task MarkAsync(RegistryDbContext db, List<EventRow> changes, CancellationToken cancellationToken)
    {
        var byName = changes.GroupBy(row => row.Repository!).ToList();
        var names = byName.ConvertAll(rows => rows.Key).ToArray();
        var pushed = byName.ConvertAll(rows => rows.Where(row => row.Kind == EventKinds.Push).Max(row => (DateTimeOffset?)row.At)).ToArray();
        return db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO repository_statistics (repository_id, pushed_at)
             SELECT r.id, c.pushed_at FROM unnest({names}, {pushed}) c (name, pushed_at) JOIN repositories r ON r.name = c.name ORDER BY r.id
             ON CONFLICT (repository_id) DO UPDATE SET stale_since = clock_timestamp(),
                 pushed_at = greatest(repository_statistics.pushed_at, excluded.pushed_at)
             """, cancellationToken);
    }
}
