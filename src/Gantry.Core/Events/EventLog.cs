using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Events;

/// <summary>Appends to <c>events</c> in the caller's transaction: an event exists if and only if what it tells does.</summary>
internal static class EventLog
{
    public const string Push = "push";
    public const string TagDelete = "tag.delete";
    public const string ManifestDelete = "manifest.delete";
    public const string BlobDelete = "blob.delete";

    public static Task AppendEventAsync(this RegistryDbContext db, string kind, RepositoryName repository, Digest? digest,
        string? tag, Actor actor, CancellationToken cancellationToken)
    {
        var (name, digestText) = (repository.ToString(), digest?.ToString());
        return db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO events (kind, repository, digest, tag, account, address, request_id)
             VALUES ({kind}, {name}, {digestText}, {tag}, {actor.Account}, {actor.Address}, {actor.RequestId})
             """, cancellationToken);
    }
}
