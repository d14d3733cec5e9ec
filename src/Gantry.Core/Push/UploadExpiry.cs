using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Push;

/// <summary>Ends uploads that rested too long. Their bytes go to <c>doomed_locations</c> in the same transaction.</summary>
public sealed class UploadExpiry(IDbContextFactory<RegistryDbContext> contexts)
{
    private const int BatchSize = 100;

    /// <returns>How many uploads ended.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var total = 0;
        int expired;
        do
        {
            expired = await ExpireAsync(cancellationToken);
            total += expired;
        }
        while (expired == BatchSize);

        return total;
    }

    private Task<int> ExpireAsync(CancellationToken cancellationToken) =>
        contexts.InTransactionAsync(async db =>
        {
            var ids = await db.Database.SqlQuery<Guid>(
                $"""
                 DELETE FROM upload_sessions WHERE id IN (
                     SELECT id FROM upload_sessions WHERE expires_at < now()
                     ORDER BY expires_at LIMIT {BatchSize} FOR UPDATE SKIP LOCKED)
                 RETURNING id AS "Value"
                 """).ToListAsync(cancellationToken);
            foreach (var id in ids) await db.DoomAsync(Doomed.Upload(id), cancellationToken);
            if (ids.Count > 0) Failpoint.Hit("expiry-written");
            return ids.Count;
        }, cancellationToken);
}
