using Gantry.Server.Tests.Nodes;
using Npgsql;

namespace Gantry.Server.Tests.Faults;

/// <summary>Rows and bytes that can be looked at beside whoever serves them.</summary>
internal interface IInspected
{
    SharedStore Bytes { get; }

    Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read);
}

/// <summary>
/// Rows against the store, as DESIGN section 3 has it: a visible row has its bytes (1), bytes have an owner at every
/// instant (6). Asked while nothing is under way.
/// </summary>
internal static class StoreInvariants
{
    /// <param name="registry">With its database running; the server need not.</param>
    /// <param name="lost">Sessions of what a test laid down itself, which no row knows.</param>
    public static Task CheckAsync(IInspected registry, params string[] lost) => CheckAsync(registry, mayHaveOrphans: false, lost);

    /// <param name="mayHaveOrphans">
    /// On S3 a close that was cut short between its object and its row leaves that object to the orphan pass: the same close, sent
    /// again, makes another.
    /// </param>
    public static async Task CheckAsync(IInspected registry, bool mayHaveOrphans, params string[] lost)
    {
        var blobs = await registry.QueryAsync("SELECT digest, size, location FROM blobs",
            row => (Digest: row.GetString(0), Size: row.GetInt64(1), Location: row.GetString(2)));
        var sessions = await registry.QueryAsync("SELECT id, staging_offset FROM upload_sessions",
            row => (Id: row.GetGuid(0).ToString("N"), Offset: row.GetInt64(1)));
        var doomed = await registry.QueryAsync("SELECT location, kind, session_id FROM doomed_locations",
            row => (Location: row.GetString(0), Kind: row.GetString(1), Session: row.IsDBNull(2) ? null : row.GetGuid(2).ToString("N")));
        var faults = new List<string>();

        // 1. Every row has its bytes, and they are the ones it names.
        await Parallel.ForEachAsync(blobs, async (blob, _) =>
        {
            var found = await registry.Bytes.DigestAsync(blob.Location, blob.Digest);
            if (found is not { } there) Add($"{blob.Digest}: no bytes at {blob.Location}");
            else if (there.Size != blob.Size) Add($"{blob.Digest}: {there.Size} bytes at {blob.Location}, not {blob.Size}");
            else if (there.Digest != blob.Digest) Add($"{blob.Location} holds other bytes than {blob.Digest}");
        });
        foreach (var (id, offset) in sessions.Where(session => session.Offset > 0))
        {
            if (registry.Bytes.StagedLength(id) is { } length && length < offset) Add($"upload {id} stands at {offset} and has {length} bytes");
        }

        // 2. Whatever the store has has an owner.
        var owners = sessions.Select(session => session.Id).Concat(doomed.Where(row => row.Kind == "upload").Select(row => row.Session!))
            .Concat(lost).ToHashSet(StringComparer.Ordinal);
        var stagings = doomed.Where(row => row.Kind == "staging").Select(row => row.Session!).ToHashSet(StringComparer.Ordinal);
        var locations = blobs.Select(blob => blob.Location).Concat(doomed.Select(row => row.Location)).ToHashSet(StringComparer.Ordinal);
        foreach (var item in await registry.Bytes.ListAsync())
        {
            var isOwned = owners.Contains(item.Session)
                || (item.Location is { } location ? locations.Contains(location) : stagings.Contains(item.Session));
            if (!isOwned && !mayHaveOrphans) Add($"{item.Name} is nobody's");
        }

        // 3. What is served hangs together.
        faults.AddRange(await registry.QueryAsync(
            """
            SELECT 'tag ' || t.name || ' points at a manifest that is gone' FROM tags t
              JOIN manifests m ON (m.repository_id, m.digest) = (t.repository_id, t.manifest_digest) WHERE m.deleted_at IS NOT NULL
            UNION ALL
            SELECT 'manifest ' || m.digest || ' lacks ' || r.blob_digest FROM manifests m
              JOIN manifest_references r ON (r.repository_id, r.manifest_digest) = (m.repository_id, m.digest)
              JOIN blob_links l ON (l.repository_id, l.digest) = (r.repository_id, r.blob_digest)
              WHERE m.deleted_at IS NULL AND l.deleted_at IS NOT NULL
            UNION ALL
            SELECT 'manifest ' || m.digest || ' holds other bytes' FROM manifests m
              WHERE m.digest LIKE 'sha256:%' AND m.digest <> 'sha256:' || encode(sha256(m.payload), 'hex')
            UNION ALL
            SELECT 'tag ' || t.name || ' differs from its history' FROM tags t
              WHERE t.manifest_digest IS DISTINCT FROM (SELECT h.manifest_digest FROM tag_history h
                WHERE (h.repository_id, h.name) = (t.repository_id, t.name) ORDER BY h.id DESC LIMIT 1)
            """, row => row.GetString(0)));
        Assert.True(faults.Count == 0, string.Join('\n', faults));

        void Add(string fault)
        {
            lock (faults) faults.Add(fault);
        }
    }

    /// <summary>No upload is under way, so each file is a blob's; waits for the clean-up that every start begins with.</summary>
    public static async Task CheckNothingIsLeftAsync(IInspected registry)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var left = await registry.QueryAsync("SELECT (SELECT count(*) FROM upload_sessions) + (SELECT count(*) FROM doomed_locations)",
                row => row.GetInt64(0));
            if (left[0] == 0) break;
            Assert.False(limit.IsCancellationRequested, $"{left[0]} uploads and doomed locations stay");
            await Task.Delay(20);
        }

        await CheckAsync(registry);
        Assert.DoesNotContain(await registry.Bytes.ListAsync(), item => item.Location is null);
    }
}
