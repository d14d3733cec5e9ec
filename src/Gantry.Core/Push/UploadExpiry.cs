using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Push;

/// <summary>
/// Ends uploads that rested too long. Their bytes go to <c>doomed_locations</c> in the same transaction. An upload that a
/// running node has in its hands is not ended under it: flowing bytes renew it, and when they end the node gives it back.
/// </summary>
public sealed class UploadExpiry(IDbContextFactory<RegistryDbContext> contexts)
{
    private const int BatchSize = 100;

    private static readonly string Expire =
        $$"""
          DELETE FROM upload_sessions WHERE id IN (
              SELECT id FROM upload_sessions
              WHERE expires_at < now() AND (writer IS NULL OR NOT {{NodePresence.IsRunning("writer")}})
              ORDER BY expires_at LIMIT {0} FOR UPDATE SKIP LOCKED)
          RETURNING id AS "Value"
          """;

    /// <summary>Ends up to so many, in one transaction.</summary>
    public Task<Reviewed> ExpireAsync(int most, CancellationToken cancellationToken) =>
        contexts.InTransactionAsync(async db =>
        {
            var ids = await db.Database.SqlQuery<Guid>(FormattableStringFactory.Create(Expire, Math.Min(most, BatchSize)))
                .ToListAsync(cancellationToken);
            await db.DoomAsync(ids.ConvertAll(Doomed.Upload), cancellationToken);
            if (ids.Count > 0) Failpoint.Hit("expiry-written");
            return new Reviewed(ids.Count, ids.Count, ids.Count);
        }, cancellationToken);
}
