using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>The whole store at one time.</summary>
/// <param name="Bytes">Of all blobs, each once.</param>
/// <param name="Doomed">Locations whose bytes are about to be deleted.</param>
public sealed record StorageSample(DateTimeOffset At, long Blobs, long Bytes, long Doomed);

/// <summary>Looks at the whole store once an hour, by one node, and shows what was seen.</summary>
public sealed class StorageSamples(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>A plot has no room for more.</summary>
    public const int MaxPoints = 1000;

    private const int Seconds = 600;
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>26,000 rows.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(3 * 365);

    /// <summary>Adds a sample where one is due and no other node does it.</summary>
    /// <returns>Whether it did.</returns>
    public Task<bool> TakeAsync(CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        await db.Database.ExecuteSqlAsync($"INSERT INTO work_cursors (name) VALUES ('storage-sample') ON CONFLICT DO NOTHING", cancellationToken);
        var due = await db.Database.SqlQuery<int>(
            $"""SELECT 1 AS "Value" FROM work_cursors WHERE name = 'storage-sample' AND due_at <= now() FOR UPDATE SKIP LOCKED""")
            .ToListAsync(cancellationToken);
        if (due.Count == 0) return false;

        // The one statement that reads all blobs: once an hour, and as long as it takes.
        db.Database.SetCommandTimeout(Seconds);
        await db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO storage_samples (blobs, bytes, doomed)
             SELECT count(*), coalesce(sum(size), 0), (SELECT count(*) FROM doomed_locations) FROM blobs;
             DELETE FROM storage_samples WHERE at < now() - {KeptFor};
             UPDATE work_cursors SET due_at = now() + {Every} WHERE name = 'storage-sample'
             """, cancellationToken);
        return true;
    }, cancellationToken);

    /// <summary>Null: none was taken yet.</summary>
    public async Task<StorageSample?> LatestAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.StorageSamples.OrderByDescending(row => row.At).Select(row => new StorageSample(row.At, row.Blobs, row.Bytes, row.Doomed))
            .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Oldest first, evenly thinned out to about <paramref name="points"/>: of each part of the time the last one.</summary>
    public async Task<IReadOnlyList<StorageSample>> ListAsync(
        DateTimeOffset from, DateTimeOffset until, int points, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(points);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(points, MaxPoints);
        var (first, last) = (from.ToUniversalTime(), until.ToUniversalTime());
        var part = Math.Max(1, (last - first).TotalSeconds / points);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Database.SqlQuery<StorageSample>(
            $"""
             SELECT at AS "At", blobs AS "Blobs", bytes AS "Bytes", doomed AS "Doomed" FROM (
                 SELECT DISTINCT ON (part) * FROM (
                     SELECT *, floor(extract(epoch FROM at - {first}) / {part}) AS part FROM storage_samples WHERE at BETWEEN {first} AND {last}) parts
                 ORDER BY part, at DESC) thinned
             ORDER BY at
             """).ToListAsync(cancellationToken);
    }
}
