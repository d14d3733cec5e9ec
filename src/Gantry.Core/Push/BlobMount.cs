using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Push;

/// <summary>Gives a repository a blob that another one has (distribution-spec, "Mounting a blob from another repository").</summary>
public sealed class BlobMount(IDbContextFactory<RegistryDbContext> contexts, Linking linking)
{
    /// <summary>How many repositories are asked about where the client names none.</summary>
    private const int MostSources = 100;

    /// <summary>
    /// Mounts the blob if it is in a repository the caller may pull from.
    /// </summary>
    /// <param name="from">Where the client says it is; null: anywhere.</param>
    /// <returns>False where it is not, or is not for this caller: both look the same, and an upload follows.</returns>
    public async Task<bool> TryMountAsync(RepositoryName repository, Digest digest, RepositoryName? from, Caller caller,
        Actor actor, CancellationToken cancellationToken)
    {
        if (await SourceAsync(digest, from, caller, cancellationToken) is not { } source) return false;

        var (text, name) = (digest.ToString(), source.ToString());
        return await contexts.InTransactionAsync(async db =>
        {
            // KEY SHARE: no removal of this link, nor of its blob, ends before the new link stands.
            var there = await db.Database.SqlQuery<int>(
                $"""
                 SELECT 1 AS "Value" FROM blob_links l JOIN repositories r ON r.id = l.repository_id
                     JOIN blobs b ON b.digest = l.digest
                 WHERE l.digest = {text} AND l.deleted_at IS NULL AND b.quarantined_at IS NULL AND r.name = {name} FOR KEY SHARE OF l
                 """).ToListAsync(cancellationToken);
            if (there.Count == 0) return false;

            await linking.LinkAsync(db, repository, digest, actor, cancellationToken);
            Failpoint.Hit("mount-written");
            return true;
        }, cancellationToken);
    }

    private async Task<RepositoryName?> SourceAsync(
        Digest digest, RepositoryName? from, Caller caller, CancellationToken cancellationToken)
    {
        if (from is { } named)
            return await caller.MayAsync(RepositoryActions.Pull, named, cancellationToken) ? named : null;

        var text = digest.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var sources = await db.Database.SqlQuery<string>(
            $"""
             SELECT r.name AS "Value" FROM blob_links l JOIN repositories r ON r.id = l.repository_id
             WHERE l.digest = {text} AND l.deleted_at IS NULL ORDER BY r.name LIMIT {MostSources}
             """).ToListAsync(cancellationToken);
        var (_, decider) = await caller.ReachAsync(cancellationToken);
        foreach (var name in sources.Select(RepositoryName.Parse))
        {
            if (await decider.MayAsync(RepositoryActions.Pull, name, cancellationToken)) return name;
        }

        return null;
    }
}
