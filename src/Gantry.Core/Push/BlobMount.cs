using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Push;

/// <summary>Gives a repository a blob that another one has (distribution-spec, "Mounting a blob from another repository").</summary>
public sealed class BlobMount(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>How many repositories are asked about where the client names none.</summary>
    private const int MostSources = 100;

    /// <summary>
    /// Mounts the blob if it is in a repository the caller may pull from.
    /// </summary>
    /// <param name="from">Where the client says it is; null: anywhere.</param>
    /// <returns>False where it is not, or is not for this caller: both look the same, and an upload follows.</returns>
    public Task<bool> TryMountAsync(RepositoryName repository, Digest digest, RepositoryName? from, Caller caller,
        CancellationToken cancellationToken)
    {
        if (from is { } named && !caller.May(RepositoryActions.Pull, named)) return Task.FromResult(false);

        var (text, source) = (digest.ToString(), from?.ToString());
        return contexts.InTransactionAsync(async db =>
        {
            // KEY SHARE: no removal of this link, nor of its blob, ends before the new link stands.
            var sources = await db.Database.SqlQuery<string>(
                $"""
                 SELECT r.name AS "Value" FROM blob_links l JOIN repositories r ON r.id = l.repository_id
                 WHERE l.digest = {text} AND l.deleted_at IS NULL AND ({source}::text IS NULL OR r.name = {source})
                 LIMIT {MostSources} FOR KEY SHARE OF l
                 """).ToListAsync(cancellationToken);
            if (!sources.Exists(name => from is not null || caller.MayReadAnywhere(RepositoryName.Parse(name)))) return false;

            await db.LinkAsync(repository, digest, cancellationToken);
            Failpoint.Hit("mount-written");
            return true;
        }, cancellationToken);
    }
}
