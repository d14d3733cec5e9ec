using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Look;

/// <summary>
/// The queue of layers to be read. What is pushed gets into it by its event; what was there before, when somebody looks; what was read of a blob that had rotted, when the
/// blob is whole again. A layer is in it once, whoever has it.
/// </summary>
public sealed class LayerListings(IDbContextFactory<RegistryDbContext> contexts) : IEventFollower, IDisposable
{
    private readonly SemaphoreSlim _asked = new(0, 1);

    /// <summary>Waits until somebody at this node waits for a layer, or so long.</summary>
    public Task WaitAsync(TimeSpan pause, CancellationToken cancellationToken) => _asked.WaitAsync(pause, cancellationToken);

    public async Task FollowAsync(RegistryDbContext db, IReadOnlyList<EventRow> events, CancellationToken cancellationToken)
    {
        // Each manifest once, and one in memory at a time: they have up to 4 MiB.
        foreach (var (repository, digest) in events.Where(row => row.Kind == EventKinds.Push && row.Digest is not null).Select(row => (row.Repository, row.Digest)).Distinct())
        {
            var pushed = await db.Database.SqlQuery<PushedManifest>(
                $"""
                 SELECT m.media_type AS "MediaType", m.payload AS "Payload" FROM repositories r JOIN manifests m ON m.repository_id = r.id
                 WHERE r.name = {repository} AND m.digest = {digest} AND m.deleted_at IS NULL
                 """).ToListAsync(cancellationToken);
            foreach (var manifest in pushed)
            {
                string[] layers = [.. ImageShape.LayersOf(ImageShape.Read(manifest.Payload, manifest.MediaType)).Select(layer => layer.ToString()).Order(StringComparer.Ordinal)];
                if (layers.Length > 0) await AddAsync(db, layers, cancellationToken);
            }
        }

        string[] healed = [.. events.Where(row => row.Kind == EventKinds.BlobHeal && row.Digest is not null).Select(row => row.Digest!).Distinct()];
        if (healed.Length > 0) await RenewAsync(db, healed, cancellationToken);
    }

    /// <summary>Puts layers at the head of the queue: somebody waits. What is ready, or failed, in this version stays so, and what is just being written needs nothing.</summary>
    internal async Task AskAsync(IEnumerable<Digest> digests, CancellationToken cancellationToken)
    {
        string[] layers = [.. digests.Select(digest => digest.ToString()).Distinct().Order(StringComparer.Ordinal)];
        await contexts.InTransactionAsync(async db =>
        {
            await AddAsync(db, layers, cancellationToken);
            await db.Database.ExecuteSqlAsync(
                $"""
                 UPDATE layer_listings SET urgent = true, asked_at = now(), state = CASE WHEN state = 'reading' THEN state ELSE 'waiting' END,
                     attempts = CASE WHEN state IN ('waiting', 'reading') THEN attempts ELSE 0 END
                 WHERE digest IN (
                     SELECT digest FROM layer_listings
                     WHERE digest = ANY ({layers}) AND NOT urgent AND (state IN ('waiting', 'reading') OR version <> {LayerIndexing.Version})
                     ORDER BY digest FOR UPDATE SKIP LOCKED)
                 """, cancellationToken);
        }, cancellationToken);
        lock (_asked)
        {
            if (_asked.CurrentCount == 0) _asked.Release();
        }
    }

    public void Dispose() => _asked.Dispose();

    private static Task AddAsync(RegistryDbContext db, string[] layers, CancellationToken cancellationToken) => db.Database.ExecuteSqlAsync(
        $"""
         INSERT INTO layer_listings (digest) SELECT digest FROM blobs WHERE digest = ANY ({layers}) ORDER BY digest FOR KEY SHARE
         ON CONFLICT (digest) DO NOTHING
         """, cancellationToken);

    /// <summary>A read that is under way may have met the rotten bytes: without its node it writes nothing.</summary>
    private static Task RenewAsync(RegistryDbContext db, string[] layers, CancellationToken cancellationToken) => db.Database.ExecuteSqlAsync(
        $"""
         UPDATE layer_listings SET state = 'waiting', node = NULL, attempts = 0, asked_at = now()
         WHERE digest IN (SELECT digest FROM layer_listings WHERE digest = ANY ({layers}) ORDER BY digest FOR UPDATE)
         """, cancellationToken);

    private sealed record PushedManifest(string MediaType, byte[] Payload);
}
