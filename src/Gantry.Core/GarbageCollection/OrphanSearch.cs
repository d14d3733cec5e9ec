using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Finds bytes that no row names. The store is listed first, and what it listed is asked about afterwards, in one statement:
/// whoever has bytes had its row before them, and hands them on within one transaction, so what has no owner at that instant
/// never gets one. Age is no evidence.
/// <para>One pass over the 256 shards takes <see cref="GcOptions.OrphanPass"/>: a shard becomes due every 256th of it, and is
/// taken by whichever node comes first. A node that ends within a shard leaves the rest of it to the next pass.</para>
/// <para>Only in a store that belongs to this database: in another's, all bytes would be orphans.</para>
/// </summary>
public sealed partial class OrphanSearch(
    IDbContextFactory<RegistryDbContext> contexts, IBlobStore store, IOptions<GcOptions> options, ILogger<OrphanSearch> logger)
{
    /// <summary>Items in memory at once.</summary>
    private const int BatchSize = 500;
    private const int Shards = 256;

    /// <summary>A collector that was away for longer does not make up for all of it.</summary>
    private const int MostBehind = 16;

    /// <summary>Dooms the orphans of those shards that are due, or of all; a result a batch.</summary>
    public async IAsyncEnumerable<Reviewed> RunAsync(bool all, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = 0;
        if (all && !await IsOursAsync(cancellationToken)) yield break;
        while ((all ? next < Shards ? next++ : null : await TakeShardAsync(cancellationToken)) is { } shard)
        {
            if (!all && !await IsOursAsync(cancellationToken)) yield break;
            Failpoint.Hit("orphans-shard-taken");
            await foreach (var (batch, orphans) in SearchAsync((byte)shard, cancellationToken))
            {
                Failpoint.Hit("orphans-asked");
                var doomed = await DoomAsync(orphans, cancellationToken);
                Failpoint.Hit("orphans-doomed");
                yield return new Reviewed(batch, batch, doomed, orphans.Sum(orphan => orphan.Size));
            }
        }
    }

    /// <summary>Every orphan of the store, shard by shard, and how much was looked at for each batch; changes nothing.</summary>
    internal async IAsyncEnumerable<StoredItem> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!await IsOursAsync(cancellationToken)) yield break;
        for (var shard = 0; shard < Shards; shard++)
        {
            await foreach (var (_, orphans) in SearchAsync((byte)shard, cancellationToken))
            {
                foreach (var orphan in orphans) yield return orphan;
            }
        }
    }

    private async Task<bool> IsOursAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var self = (await db.Database.SqlQuery<Guid>($"""SELECT id AS "Value" FROM registry_identity""").ToListAsync(cancellationToken)).Single();
        var owner = await store.OwnerAsync(self, cancellationToken);
        if (owner != self) LogForeign(logger, owner, self);
        return owner == self;
    }

    private async IAsyncEnumerable<(int Looked, List<StoredItem> Orphans)> SearchAsync(
        byte shard, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var batch = new List<StoredItem>(BatchSize);
        await foreach (var item in store.ListAsync(shard, cancellationToken))
        {
            batch.Add(item);
            if (batch.Count < BatchSize) continue;
            yield return (batch.Count, await AskAsync(batch, cancellationToken));
            batch.Clear();
        }

        // An empty shard is a look too.
        yield return (batch.Count, await AskAsync(batch, cancellationToken));
    }

    private async Task<List<StoredItem>> AskAsync(List<StoredItem> items, CancellationToken cancellationToken)
    {
        if (items.Count == 0) return [];
        Failpoint.Hit("orphans-listed");
        var sessions = items.Select(item => item.SessionId).ToArray();
        var locations = items.Select(item => item.Location?.Value).ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        // A session's doomed "upload" is all it left; its doomed "staging" leaves its locations alone.
        var orphans = await db.Database.SqlQuery<long>(
            $"""
             SELECT i.number AS "Value" FROM unnest({sessions}, {locations}) WITH ORDINALITY i (session_id, location, number)
             WHERE NOT EXISTS (SELECT FROM upload_sessions u WHERE u.id = i.session_id)
               AND NOT EXISTS (SELECT FROM blobs b WHERE b.location = i.location)
               AND NOT EXISTS (SELECT FROM doomed_locations d WHERE d.location = i.location)
               AND NOT EXISTS (SELECT FROM doomed_locations d
                   WHERE d.session_id = i.session_id AND (d.kind = 'upload' OR (d.kind = 'staging' AND i.location IS NULL)))
             """).ToListAsync(cancellationToken);
        return orphans.ConvertAll(number => items[(int)number - 1]);
    }

    private Task<int> DoomAsync(List<StoredItem> orphans, CancellationToken cancellationToken) =>
        orphans.Count == 0 ? Task.FromResult(0) : contexts.InTransactionAsync(async db =>
        {
            await db.DoomAsync(orphans.ConvertAll(DoomedOf), cancellationToken, options.Value.ByteDelay);
            return orphans.Count;
        }, cancellationToken);

    // Never the whole upload: a blob row may name another location of that session.
    private static Doomed DoomedOf(StoredItem item) =>
        item.Location is { } location ? Doomed.Location(location) : Doomed.Staging(item.SessionId);

    private async Task<int?> TakeShardAsync(CancellationToken cancellationToken)
    {
        var each = options.Value.OrphanPass / Shards;
        var behind = each * MostBehind;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync($"INSERT INTO work_cursors (name) VALUES ('orphans') ON CONFLICT DO NOTHING", cancellationToken);
        var taken = await db.Database.SqlQuery<int>(
            $"""
             UPDATE work_cursors w SET position = ((shard + 1) % {Shards})::text, due_at = greatest(w.due_at, now() - {behind}) + {each}
             FROM (SELECT coalesce(nullif(position, ''), '0')::int AS shard FROM work_cursors
                   WHERE name = 'orphans' AND due_at <= now() FOR UPDATE SKIP LOCKED) due
             WHERE w.name = 'orphans' RETURNING shard AS "Value"
             """).ToListAsync(cancellationToken);
        return taken.Count == 0 ? null : taken[0];
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The store belongs to the registry {Owner}, and this database is {Self}: nothing in it is taken for "
        + "an orphan. If that is meant to be, remove the store's file or object 'owner'")]
    private static partial void LogForeign(ILogger logger, Guid owner, Guid self);
}
