using System.Security.Cryptography;

namespace Gantry.Server.Tests.Faults;

/// <summary>
/// Rows against files, as DESIGN section 3 has it: a visible row has its bytes (1), bytes have an owner at every
/// instant (6). Asked while nothing is under way.
/// </summary>
internal static class StoreInvariants
{
    /// <param name="registry">With its database running; the server need not.</param>
    /// <param name="lost">Files that a test laid down itself, which no row knows.</param>
    public static async Task CheckAsync(RestartableRegistry registry, params string[] lost)
    {
        var blobs = await registry.QueryAsync("SELECT digest, size, location FROM blobs",
            row => (Digest: row.GetString(0), Size: row.GetInt64(1), Location: row.GetString(2)));
        var sessions = await registry.QueryAsync("SELECT id, staging_offset FROM upload_sessions",
            row => (Id: row.GetGuid(0).ToString("N"), Offset: row.GetInt64(1)));
        var doomed = await registry.QueryAsync("SELECT location FROM doomed_locations", row => row.GetString(0));
        var faults = new List<string>();

        // 1. Every row has its bytes, and they are the ones it names.
        Parallel.ForEach(blobs, blob =>
        {
            var file = new FileInfo(Path.Combine(registry.Store, blob.Location));
            if (!file.Exists || file.Length != blob.Size) Add($"{blob.Digest}: {(file.Exists ? file.Length : -1)} bytes at {blob.Location}, not {blob.Size}");
            else if (DigestOf(file, blob.Digest) != blob.Digest) Add($"{blob.Location} holds other bytes than {blob.Digest}");
        });
        foreach (var (id, offset) in sessions.Where(session => session.Offset > 0))
        {
            var length = new[] { PathOf(registry, "uploads", id), PathOf(registry, "blobs", id) }
                .Select(path => new FileInfo(path)).FirstOrDefault(file => file.Exists)?.Length ?? -1;
            if (length < offset) Add($"upload {id} stands at {offset} and has {length} bytes");
        }

        // 2. Every file has an owner.
        var owners = sessions.Select(session => session.Id)
            .Concat(doomed.Select(Path.GetFileName)!).Concat(lost).ToHashSet<string?>(StringComparer.Ordinal);
        foreach (var file in Files(registry, "uploads").Where(id => !owners.Contains(id))) Add($"uploads/{file} is nobody's");
        owners.UnionWith(blobs.Select(blob => Path.GetFileName(blob.Location)));
        foreach (var file in Files(registry, "blobs").Where(id => !owners.Contains(id))) Add($"blobs/{file} is nobody's");

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
    public static async Task CheckNothingIsLeftAsync(RestartableRegistry registry)
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
        Assert.Empty(Files(registry, "uploads"));
    }

    private static IEnumerable<string> Files(RestartableRegistry registry, string kind) =>
        Directory.EnumerateFiles(Path.Combine(registry.Store, kind), "*", SearchOption.AllDirectories)
            .Select(path => Path.GetFileName(path)).Where(name => !name.StartsWith('.'));

    private static string PathOf(RestartableRegistry registry, string kind, string id) =>
        Path.Combine(registry.Store, kind, id[^2..], id);

    private static string DigestOf(FileInfo file, string like)
    {
        using var stream = file.OpenRead();
        return like.StartsWith("sha512", StringComparison.Ordinal)
            ? $"sha512:{Convert.ToHexStringLower(SHA512.HashData(stream))}"
            : $"sha256:{Convert.ToHexStringLower(SHA256.HashData(stream))}";
    }
}
