using System.ComponentModel.DataAnnotations.Schema;
using System.Text.Json;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>A signature, an SBOM, an attestation: something that refers to what stands above it.</summary>
/// <param name="Subject">What it refers to.</param>
/// <param name="Tag">The tag that makes it refer there, by the schemes from before referrers; null: its own subject does, or an index.</param>
/// <param name="Index">The index that names it beside the image that it attests (BuildKit's annotations); null: none makes it refer there.</param>
/// <param name="Predicates">Of such an attestation: the types of what it says, as in-toto names them, as they stand there; empty otherwise.</param>
/// <param name="Size">Of its manifest, in bytes.</param>
/// <param name="Annotations">Null where it has none, or where the tree has more than it shows.</param>
public sealed record ReferrerNode(
    Digest Subject, Digest Digest, string MediaType, string? ArtifactType, TagName? Tag, Digest? Index, long Size, DateTimeOffset PushedAt,
    IReadOnlyList<string> Predicates, IReadOnlyDictionary<string, string>? Annotations, IReadOnlyList<ReferrerNode> Referrers);

/// <summary>A tree of referrers.</summary>
/// <param name="IsWhole">Not where there are more than it shows, or deeper ones.</param>
/// <param name="Next">After which of the first level it goes on; null: all of that level are here.</param>
public sealed record ReferrerForest(IReadOnlyList<ReferrerNode> Referrers, bool IsWhole, Digest? Next);

/// <summary>
/// What refers to a manifest, and what refers to that: by subject, by the fallback tag's index (distribution-spec, "Referrers Tag Schema"), by
/// cosign's tags (<c>sha256-….sig</c>, <c>.att</c>, <c>.sbom</c>), and the attestations that BuildKit puts beside an image into its index; of an index all that
/// it has. A statement a level; each manifest is shown once, so that no circle of tags goes on for ever.
/// </summary>
public sealed class ReferrerTree(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>Bound the work and the memory of one tree.</summary>
    public const int MostLevels = 5, MostNodes = 500;

    private const int MostAnnotationCharacters = 1024 * 1024;

    private static readonly string[] Suffixes = ["", ".sig", ".att", ".sbom"];

    /// <summary>Null: no such repository. The subject need not be there.</summary>
    public Task<ReferrerForest?> ReadAsync(RepositoryName repository, Digest subject, CancellationToken cancellationToken) =>
        PageAsync(repository, subject, null, MostNodes, cancellationToken);

    /// <summary>The same for at most so many of the first level, by digest, after one; what is cut below one of them is in its own tree.</summary>
    public async Task<ReferrerForest?> PageAsync(
        RepositoryName repository, Digest subject, Digest? after, int limit, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;

        var (attestations, isWhole) = await Attestations.ReadAsync(db, id, subject, MostAnnotationCharacters / 16, cancellationToken);
        var (found, seen, next) = (new List<Row>(), new HashSet<string>(StringComparer.Ordinal) { subject.ToString() }, (Digest?)null);
        string[] level = [subject.ToString()];
        for (var depth = 0; level.Length > 0; depth++)
        {
            // One more level, or one more node, only tells that there is one.
            var room = depth == MostLevels ? 0 : depth == 0 ? Math.Min(limit, MostNodes) : MostNodes - found.Count;
            var from = depth == 0 ? $"{after}" : "";
            var rows = await LevelAsync(db, id, level, from, room + seen.Count + 1, cancellationToken);
            if (depth == 0)
            {
                rows.AddRange(attestations.Where(one => string.CompareOrdinal(one.Digest, from) > 0).Select(one => RowOf(subject, one)));
                rows.Sort((one, other) => string.CompareOrdinal(one.Digest, other.Digest));
            }

            rows.RemoveAll(row => !seen.Add(row.Digest));
            var isCut = rows.Count > room;
            if (isCut)
            {
                isWhole = false;
                rows.RemoveRange(room, rows.Count - room);
                if (depth == 0) next = Digest.Parse(rows[^1].Digest);
            }

            found.AddRange(rows);
            // A page of the first level is as deep as a whole one.
            level = !isCut || (depth == 0 && found.Count < MostNodes) ? [.. rows.Select(row => row.Digest)] : [];
        }

        return new ReferrerForest(Build(found, subject.ToString()), isWhole, next);
    }

    private static Row RowOf(Digest root, Attestation one) => new(root.ToString(), one.Digest, null, one.MediaType, one.ArtifactType, one.Size, one.PushedAt, one.Annotations)
    {
        Attestation = one,
    };

    private static Task<List<Row>> LevelAsync(
        RegistryDbContext db, long repository, string[] subjects, string after, int limit, CancellationToken cancellationToken)
    {
        var tags = subjects.SelectMany(subject => Suffixes.Select(suffix => (Subject: subject, Tag: TagOf(subject) + suffix))).ToList();
        var (named, names) = (tags.ConvertAll(tag => tag.Subject).ToArray(), tags.ConvertAll(tag => tag.Tag).ToArray());
        return db.Database.SqlQuery<Row>(
            $"""
             SELECT DISTINCT ON (m.digest) found.subject AS "Subject", m.digest AS "Digest", found.tag AS "Tag", m.media_type AS "MediaType", m.artifact_type AS "ArtifactType",
                    octet_length(m.payload)::bigint AS "Size", m.created_at AS "PushedAt",
                    CASE WHEN length(m.annotations::text) <= {MostAnnotationCharacters / 16} THEN m.annotations::text END AS "Annotations"
             FROM (
                 SELECT s.subject, r.digest, NULL AS tag FROM unnest({subjects}) s (subject) CROSS JOIN LATERAL (
                     SELECT digest FROM manifests WHERE repository_id = {repository} AND subject_digest = s.subject AND digest > {after} AND deleted_at IS NULL
                     ORDER BY digest LIMIT {limit}) r
                 UNION ALL
                 SELECT n.subject, t.manifest_digest, t.name FROM unnest({named}, {names}) n (subject, name)
                     JOIN tags t ON t.repository_id = {repository} AND t.name = n.name WHERE strpos(n.name, '.') > 0
                 UNION ALL
                 SELECT n.subject, c.child_digest, t.name FROM unnest({named}, {names}) n (subject, name)
                     JOIN tags t ON t.repository_id = {repository} AND t.name = n.name
                     CROSS JOIN LATERAL (
                         SELECT child_digest FROM manifest_references
                         WHERE repository_id = {repository} AND manifest_digest = t.manifest_digest AND child_digest > {after}
                         ORDER BY child_digest LIMIT {limit}) c
                 WHERE strpos(n.name, '.') = 0) found
             JOIN manifests m ON m.repository_id = {repository} AND m.digest = found.digest AND m.deleted_at IS NULL
             WHERE found.digest > {after}
             ORDER BY m.digest, found.tag NULLS FIRST LIMIT {limit}
             """).ToListAsync(cancellationToken);
    }

    /// <summary>A tag cuts the digest's hex, so that it has at most 128 characters.</summary>
    private static string TagOf(string subject)
    {
        var digest = Digest.Parse(subject);
        return $"{digest.Algorithm.Name()}-{digest.Hex[..64]}";
    }

    private static IReadOnlyList<ReferrerNode> Build(List<Row> found, string root)
    {
        var bySubject = found.ToLookup(row => row.Subject, StringComparer.Ordinal);
        var characters = 0;
        return Below(root);

        List<ReferrerNode> Below(string subject) => [.. bySubject[subject].Select(row => new ReferrerNode(
            row.Attestation?.Of ?? Digest.Parse(subject), Digest.Parse(row.Digest), row.MediaType, row.ArtifactType,
            row.Tag is null ? null : TagName.Parse(row.Tag), row.Attestation?.Index, row.Size, row.PushedAt, row.Attestation?.Predicates ?? [],
            Annotations(row.Annotations), Below(row.Digest)))];

        IReadOnlyDictionary<string, string>? Annotations(string? text)
        {
            if (text is null || (characters += text.Length) > MostAnnotationCharacters) return null;
            return JsonSerializer.Deserialize<Dictionary<string, string>>(text);
        }
    }

    private sealed record Row(
        string Subject, string Digest, string? Tag, string MediaType, string? ArtifactType, long Size, DateTimeOffset PushedAt, string? Annotations)
    {
        [NotMapped]
        public Attestation? Attestation { get; init; }
    }
}
