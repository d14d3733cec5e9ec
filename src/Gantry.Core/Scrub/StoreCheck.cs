using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Scrub;

/// <summary>
/// Tells a blob that is missing from a store that is the wrong one: an empty volume where the right one should be mounted, a
/// working folder that is not the server's. There everything would be missing.
/// </summary>
public sealed class StoreCheck(IDbContextFactory<RegistryDbContext> contexts, IBlobStore store)
{
    /// <summary>To either side.</summary>
    private const int Neighbours = 5;

    /// <summary>Looks for the blobs whose digests come before and after the missing one's: any will do.</summary>
    /// <exception cref="IOException">None of them is there, either.</exception>
    internal async Task RequireOthersAsync(BlobRow missing, CancellationToken cancellationToken)
    {
        List<string> others;
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken))
        {
            others = await db.Database.SqlQuery<string>(
                $"""
                 (SELECT location AS "Value" FROM blobs WHERE digest > {missing.Digest} AND quarantined_at IS NULL
                  ORDER BY digest LIMIT {Neighbours})
                 UNION ALL
                 (SELECT location FROM blobs WHERE digest < {missing.Digest} AND quarantined_at IS NULL
                  ORDER BY digest DESC LIMIT {Neighbours})
                 """).ToListAsync(cancellationToken);
        }

        foreach (var location in others)
        {
            if (await store.StatAsync(new BlobLocation(location), cancellationToken) is not null) return;
        }

        if (others.Count == 0) return;
        throw new IOException($"the store has none of {others.Count + 1} blobs looked for: it does not seem to be the right one");
    }
}
