using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>A manifest that an index names as an attestation of an image.</summary>
/// <param name="Of">The image.</param>
/// <param name="Predicates">The types of what its layers say, as they stand there: <c>https://slsa.dev/provenance/v1</c>.</param>
internal sealed record Attestation(
    Digest Index, Digest Of, string Digest, string MediaType, string? ArtifactType, long Size, DateTimeOffset PushedAt, string? Annotations,
    IReadOnlyList<string> Predicates);

/// <summary>
/// SBOMs and provenance as BuildKit pushes them: manifests beside the images of an index, that refer to one by annotations of their entries there. Nothing but
/// the index says so: of an image the indexes of its repository are asked that name it, <see cref="MostIndexes"/> of them at most.
/// </summary>
internal static class Attestations
{
    /// <summary>An image that is in each night's index is in very many. With <see cref="MostBytes"/> that is 5 MB at a time.</summary>
    public const int MostIndexes = 20, Most = 100;

    /// <summary>Of an index, or of an attestation, that is read; real ones have a few kilobytes.</summary>
    private const int MostBytes = 256 * 1024;

    private const int MostPredicates = 20;

    /// <summary>Null: the entry is none.</summary>
    public static Digest? SubjectOf(Descriptor entry) =>
        entry.Annotations is { } notes && notes.GetValueOrDefault("vnd.docker.reference.type") == "attestation-manifest"
        && Digest.TryParse(notes.GetValueOrDefault("vnd.docker.reference.digest"), out var digest) ? digest : null;

    /// <summary>Those of an image, or all that an index has, by digest; each once. Not whole where there are more than are looked at.</summary>
    public static async Task<(IReadOnlyList<Attestation> Found, bool IsWhole)> ReadAsync(
        RegistryDbContext db, long repository, Digest subject, int annotationCharacters, CancellationToken cancellationToken)
    {
        var named = new Dictionary<string, (Digest Index, Digest Of)>(StringComparer.Ordinal);
        var indexes = await IndexesAsync(db, repository, subject.ToString(), cancellationToken);
        foreach (var index in indexes.Take(MostIndexes))
        {
            var digest = Digest.Parse(index.Digest);
            foreach (var entry in Parse(index.Payload, index.MediaType)?.Manifests ?? [])
            {
                if (SubjectOf(entry) is { } of && (of == subject || digest == subject)) named.TryAdd(entry.Digest.ToString(), (digest, of));
            }
        }

        if (named.Count == 0) return ([], indexes.Count <= MostIndexes);
        var digests = named.Keys.Order(StringComparer.Ordinal).Take(Most).ToArray();
        var rows = await db.Database.SqlQuery<Row>(
            $"""
             SELECT m.digest AS "Digest", m.media_type AS "MediaType", m.artifact_type AS "ArtifactType", octet_length(m.payload)::bigint AS "Size",
                    m.created_at AS "PushedAt", CASE WHEN length(m.annotations::text) <= {annotationCharacters} THEN m.annotations::text END AS "Annotations",
                    CASE WHEN octet_length(m.payload) <= {MostBytes} THEN m.payload ELSE '' END AS "Payload"
             FROM unnest({digests}) d (digest) JOIN manifests m ON m.repository_id = {repository} AND m.digest = d.digest
             WHERE m.deleted_at IS NULL ORDER BY m.digest
             """).ToListAsync(cancellationToken);
        return (rows.ConvertAll(row => new Attestation(named[row.Digest].Index, named[row.Digest].Of, row.Digest, row.MediaType, row.ArtifactType, row.Size,
            row.PushedAt, row.Annotations, PredicatesOf(row))), indexes.Count <= MostIndexes && named.Count <= Most);
    }

    /// <summary>The subject itself, where it is an index, and those that name it.</summary>
    private static Task<List<IndexRow>> IndexesAsync(RegistryDbContext db, long repository, string subject, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<IndexRow>(
            $"""
             SELECT m.digest AS "Digest", m.media_type AS "MediaType", m.payload AS "Payload" FROM (
                 SELECT {subject} AS digest
                 UNION
                 (SELECT manifest_digest FROM manifest_references WHERE repository_id = {repository} AND child_digest = {subject} LIMIT {MostIndexes + 1})) i
             CROSS JOIN LATERAL (
                 SELECT digest, media_type, payload FROM manifests WHERE repository_id = {repository} AND digest = i.digest AND deleted_at IS NULL
                   AND media_type IN ({MediaTypes.OciIndex}, {MediaTypes.DockerManifestList}) AND octet_length(payload) <= {MostBytes} LIMIT 1) m
             ORDER BY m.digest LIMIT {MostIndexes + 1}
             """).ToListAsync(cancellationToken);

    private static IReadOnlyList<string> PredicatesOf(Row row) =>
        [.. (Parse(row.Payload, row.MediaType)?.Layers ?? []).Select(layer => layer.Annotations?.GetValueOrDefault("in-toto.io/predicate-type"))
            .OfType<string>().Distinct(StringComparer.Ordinal).Take(MostPredicates)];

    private static ManifestDocument? Parse(byte[] payload, string mediaType)
    {
        try
        {
            return ManifestDocument.Parse(payload, mediaType);
        }
        catch (OciException)
        {
            // Taken by an earlier version, with other rules; or too large to be read here.
            return null;
        }
    }

    private sealed record IndexRow(string Digest, string MediaType, byte[] Payload);

    private sealed record Row(
        string Digest, string MediaType, string? ArtifactType, long Size, DateTimeOffset PushedAt, string? Annotations, byte[] Payload);
}
