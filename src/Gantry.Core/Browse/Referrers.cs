using System.Text.Json;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>
/// What refers to a manifest (distribution-spec, "Listing Referrers"): manifests with that subject, and what an index
/// under the fallback tag (<c>sha256-…</c>) lists, for repositories that came from a registry without this listing.
/// Artifact type and annotations are the manifests' own: clients write incomplete fallback indexes.
/// </summary>
public sealed class Referrers(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>
    /// Descriptors in one page, and the bytes of annotations after which a page ends early: the spec wants a listing to
    /// fit where a manifest fits (4 MiB).
    /// </summary>
    private const int MaxPage = 200, MaxAnnotationBytes = 1024 * 1024;

    /// <summary>A fallback tag cuts the digest's hex at this length, so that a tag has at most 128 characters.</summary>
    private const int MaxFallbackHex = 64;

    /// <param name="artifactType">Only those of this type; null: all.</param>
    /// <param name="last">Digest of the last one seen; null: from the start.</param>
    /// <returns>A page in digest order, and whether more follow.</returns>
    public async Task<(IReadOnlyList<Descriptor> Page, bool More)> PageAsync(RepositoryName repository, Digest subject,
        string? artifactType, string? last, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return ([], false);

        var (text, after) = (subject.ToString(), last ?? "");
        var hex = subject.Hex;
        var fallback = $"{subject.Algorithm.Name()}-{hex[..Math.Min(hex.Length, MaxFallbackHex)]}";
        var page = new List<Descriptor>();
        var annotationBytes = 0;
        var rows = db.Database.SqlQuery<ReferrerRow>(
            $"""
             SELECT m.digest AS "Digest", m.media_type AS "MediaType", octet_length(m.payload) AS "Size",
                    m.artifact_type AS "ArtifactType", m.annotations::text AS "Annotations"
             FROM (SELECT digest FROM manifests
                   WHERE repository_id = {id} AND subject_digest = {text} AND deleted_at IS NULL
                   UNION
                   SELECT c.child_digest FROM tags t JOIN manifest_references c
                       ON c.repository_id = t.repository_id AND c.manifest_digest = t.manifest_digest
                   WHERE t.repository_id = {id} AND t.name = {fallback} AND c.child_digest IS NOT NULL) referrer
             JOIN manifests m ON m.repository_id = {id} AND m.digest = referrer.digest
             WHERE m.deleted_at IS NULL AND m.digest > {after}
               AND ({artifactType}::text IS NULL OR m.artifact_type = {artifactType})
             ORDER BY m.digest LIMIT {MaxPage + 1}
             """).AsAsyncEnumerable();
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            annotationBytes += row.Annotations?.Length ?? 0;
            if (page.Count == MaxPage || (page.Count > 0 && annotationBytes > MaxAnnotationBytes)) return (page, true);
            page.Add(new Descriptor(row.MediaType, Digest.Parse(row.Digest), row.Size, row.ArtifactType,
                row.Annotations is null ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(row.Annotations)));
        }

        return (page, false);
    }

    private sealed record ReferrerRow(
        string Digest, string MediaType, int Size, string? ArtifactType, string? Annotations);
}
