using System.Text.Json;
using Gantry.Core.GarbageCollection;
using Gantry.Server.Tests.Faults;
using Gantry.Server.Tests.Nodes;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Chaos;

internal sealed partial class ChaosRun
{
    private IEnumerable<Book> Books => _workers.Select(worker => worker.Book);

    /// <summary>
    /// Faults off, all nodes up, uploads expired, collected until nothing is left to do. Then the registry is exactly what the
    /// books say: rows, bytes, tags, referrers.
    /// </summary>
    private async Task CompareAsync()
    {
        // 1. Calm.
        _isCalm = true;
        if (_cluster.Bytes is SharedBucket { } bucket) bucket.Proxy.Faults = null;
        foreach (var node in _cluster.Nodes)
        {
            await node.KillAsync();
            await node.StartAsync();
        }

        Log("calm");
        foreach (var worker in _workers) await worker.LookAtAllAsync();
        await StoreInvariants.CheckAsync(_cluster, mayHaveOrphans: _cluster.Bytes is SharedBucket);

        // 2. Collected. Claims of nodes that were killed run out at once: nobody waits five minutes for them here.
        await _cluster.ExecuteAsync("UPDATE upload_sessions SET expires_at = now() - interval '1 second'");
        for (var patience = 300; ; patience--)
        {
            await _cluster.ExecuteAsync("UPDATE doomed_locations SET delete_after = now() WHERE delete_after > now() + interval '10 seconds'");
            await Hand<Collector>().RunAsync(everything: true, CancellationToken.None);
            var left = await _cluster.QueryAsync(
                """
                SELECT 'upload ' || id FROM upload_sessions UNION ALL SELECT 'doomed ' || location FROM doomed_locations
                UNION ALL SELECT 'manifest ' || digest FROM manifests WHERE suspect_since IS NOT NULL OR deleted_at IS NOT NULL
                UNION ALL SELECT 'link ' || digest FROM blob_links WHERE suspect_since IS NOT NULL OR deleted_at IS NOT NULL
                UNION ALL SELECT 'blob ' || digest FROM blobs WHERE suspect_since IS NOT NULL
                """, row => row.GetString(0));
            if (left.Count == 0) break;
            if (patience == 0) throw new ChaosException($"never collected: {string.Join(", ", left.Take(10))} ({left.Count} in all)");
            await Task.Delay(100);
        }

        // 3. Rows: what a live manifest holds, and nothing else.
        await SameAsync("SELECT r.name || ' ' || m.digest FROM manifests m JOIN repositories r ON r.id = m.repository_id",
            from book in Books from manifest in book.Manifests.Values where manifest.State == Presence.Present select $"{book.Repository} {manifest.Digest}");
        await SameAsync("SELECT r.name || ' ' || l.digest FROM blob_links l JOIN repositories r ON r.id = l.repository_id",
            from book in Books from blob in book.Blobs.Keys where book.IsHeld(blob) select $"{book.Repository} {blob}");
        await SameAsync("SELECT digest FROM blobs", from book in Books from blob in book.Blobs.Keys where book.IsHeld(blob) select blob.ToString());
        await SameAsync("SELECT r.name || ' ' || t.name || ' ' || t.manifest_digest FROM tags t JOIN repositories r ON r.id = t.repository_id",
            from book in Books from tag in book.Tags where tag.Value.Allowed.Single() is not null select $"{book.Repository} {tag.Key} {tag.Value.Allowed.Single()}");

        // 4. Bytes: those of the rows, and nothing else.
        var stored = await _cluster.Bytes.ListAsync();
        await SameAsync("SELECT location FROM blobs", stored.Select(item => item.Location ?? item.Name));
        await StoreInvariants.CheckAsync(_cluster);

        // 5. What clients see: the books again, and who refers to whom. What was collected is gone for them as well.
        foreach (var blob in Books.SelectMany(book => book.Blobs.Values.Where(blob => !book.IsHeld(blob.Digest)))) blob.State = Presence.Absent;
        foreach (var worker in _workers) await worker.LookAtAllAsync();
        foreach (var book in Books) await CompareReferrersAsync(book);
        Log("compared");
    }

    private async Task CompareReferrersAsync(Book book)
    {
        foreach (var subject in book.Manifests.Values.Where(manifest => manifest.Subject is not null).Select(manifest => manifest.Subject!.Value).Distinct())
        {
            var json = await _cluster.Nodes[0].Client.GetStringAsync($"/v2/{book.Repository}/referrers/{subject}");
            using var index = JsonDocument.Parse(json);
            var found = index.RootElement.GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("digest").GetString()!);
            Same($"the referrers of {subject}", found,
                book.Manifests.Values.Where(manifest => manifest.State == Presence.Present && manifest.Subject == subject).Select(manifest => manifest.Digest.ToString()));
        }
    }

    private async Task SameAsync(string sql, IEnumerable<string> expected) =>
        Same(sql, await _cluster.QueryAsync(sql, row => row.GetString(0)), expected);

    private static void Same(string what, IEnumerable<string> found, IEnumerable<string> expected)
    {
        var (there, wanted) = (found.ToHashSet(StringComparer.Ordinal), expected.ToHashSet(StringComparer.Ordinal));
        var (missing, besides) = (wanted.Except(there).ToList(), there.Except(wanted).ToList());
        if (missing.Count + besides.Count > 0)
            throw new ChaosException($"{what}: missing {string.Join(", ", missing.Take(5))} ({missing.Count}); too much {string.Join(", ", besides.Take(5))} ({besides.Count})");
    }
}
