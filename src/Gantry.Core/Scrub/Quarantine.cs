using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Scrub;

/// <summary>A blob that is not served.</summary>
/// <param name="Repositories">Those that have it; a push to any of them, or to another, heals it for all.</param>
public sealed record QuarantinedBlob(string Digest, long Size, DateTimeOffset Since, string[] Repositories);

/// <summary>What is quarantined at the moment.</summary>
public sealed class Quarantine(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <returns>Longest first.</returns>
    public async Task<IReadOnlyList<QuarantinedBlob>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Database.SqlQuery<QuarantinedBlob>(
            $"""
             SELECT b.digest AS "Digest", b.size AS "Size", b.quarantined_at AS "Since",
                    ARRAY(SELECT r.name FROM blob_links l JOIN repositories r ON r.id = l.repository_id
                          WHERE l.digest = b.digest AND l.deleted_at IS NULL ORDER BY r.name) AS "Repositories"
             FROM blobs b WHERE b.quarantined_at IS NOT NULL ORDER BY b.quarantined_at, b.digest
             """).ToListAsync(cancellationToken);
    }
}
