using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Push;

/// <summary>What a manifest needs in its repository, sorted.</summary>
internal sealed record References(string[] Blobs, string[] Children);

/// <summary>
/// Finds what a manifest names in its repository and holds it there until the push commits: manifests FOR SHARE (a soft
/// delete is an UPDATE), links FOR KEY SHARE; every delete takes FOR UPDATE first.
/// </summary>
internal sealed class ReferenceCheck(RegistryDbContext db, long repository)
{
    public async Task<References> LockAsync(ManifestDocument document, CancellationToken cancellationToken)
    {
        // An index may name blobs as well (BuildKit's cache export): what is no manifest is looked for there.
        var entries = Digests(document.Manifests);
        var children = await LockManifestsAsync(entries, cancellationToken);
        var wanted = document.Layers.Where(layer => !MediaTypes.IsNonDistributable(layer.MediaType));
        var required = Digests(document.Config is null ? wanted : wanted.Append(document.Config))
            .Concat(entries.Except(children, StringComparer.Ordinal)).ToArray();
        var optional = Digests(document.Layers.Where(layer => MediaTypes.IsNonDistributable(layer.MediaType)));

        var blobs = await LockLinksAsync(
            [.. required.Union(optional, StringComparer.Ordinal).Order(StringComparer.Ordinal)], cancellationToken);
        var missing = required.Except(blobs, StringComparer.Ordinal).ToList();
        return missing.Count == 0
            ? new References(blobs, children)
            : throw new OciException(OciErrorCode.ManifestBlobUnknown,
                $"not in this repository: {string.Join(", ", missing.Take(5))}"
                + (missing.Count > 5 ? $" and {missing.Count - 5} more" : ""));
    }

    private Task<string[]> LockManifestsAsync(string[] digests, CancellationToken cancellationToken) =>
        digests.Length == 0 ? Task.FromResult(digests) : db.Database.SqlQuery<string>(
            $"""
             SELECT digest AS "Value" FROM manifests
             WHERE repository_id = {repository} AND digest = ANY ({digests}) AND deleted_at IS NULL
             ORDER BY digest FOR SHARE
             """).ToArrayAsync(cancellationToken);

    private Task<string[]> LockLinksAsync(string[] digests, CancellationToken cancellationToken) =>
        digests.Length == 0 ? Task.FromResult(digests) : db.Database.SqlQuery<string>(
            $"""
             SELECT l.digest AS "Value" FROM blob_links l JOIN blobs b ON b.digest = l.digest
             WHERE l.repository_id = {repository} AND l.digest = ANY ({digests}) AND l.deleted_at IS NULL AND b.quarantined_at IS NULL
             ORDER BY l.digest FOR KEY SHARE OF l
             """).ToArrayAsync(cancellationToken);

    private static string[] Digests(IEnumerable<Descriptor> descriptors) =>
        [.. descriptors.Select(descriptor => descriptor.Digest.ToString()).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)];
}
