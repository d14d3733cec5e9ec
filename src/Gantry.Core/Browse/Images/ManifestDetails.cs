using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>Everything about one manifest but its referrers.</summary>
/// <param name="Payload">The bytes as pushed.</param>
/// <param name="Document">Their parsed view: config, layers, annotations, subject. Null where they cannot be read by today's rules.</param>
/// <param name="Size">Of the manifest and all that it holds, each digest once; null where it could not be found out.</param>
/// <param name="Image">Null: it has no image config, or none that can be read.</param>
/// <param name="Steps">The history of the build beside the layers that it made, oldest first; layers without a step follow.</param>
/// <param name="Children">Of an index, the first <see cref="ManifestDetails.MostChildren"/> in its order.</param>
/// <param name="Tags">That point at it, at most <see cref="ManifestDetails.MostTags"/> of them, by name.</param>
/// <param name="FirstPushedAt">When it came into the repository.</param>
/// <param name="PushedAt">Its last push; null where nobody kept it.</param>
/// <param name="PushedBy">The account of that push; null: nobody kept it, or it was pushed without one.</param>
public sealed record ManifestDetail(
    Digest Digest, string MediaType, string? ArtifactType, byte[] Payload, ManifestDocument? Document, long? Size, ImageConfig? Image,
    IReadOnlyList<BuildStep> Steps, IReadOnlyList<IndexChild> Children, IReadOnlyList<TagName> Tags,
    DateTimeOffset FirstPushedAt, DateTimeOffset? PushedAt, string? PushedBy);

/// <summary>A step of the build and what it left.</summary>
/// <param name="History">Null: a layer of which the history says nothing.</param>
/// <param name="Layer">Null: it made none, or the manifest has fewer layers than the history has steps.</param>
/// <param name="LayerNumber">Of the layer in the manifest, from 0 on.</param>
public sealed record BuildStep(ImageHistory? History, Descriptor? Layer, int? LayerNumber);

/// <summary>What an index names.</summary>
/// <param name="Platform">As the index says it, else as the image does; null: neither does.</param>
/// <param name="Size">Of all that it holds; null: it is not there, or not known yet.</param>
/// <param name="IsThere">A manifest of the repository, and live.</param>
/// <param name="AttestationOf">What it is an attestation of (BuildKit's annotations); null: it is none.</param>
public sealed record IndexChild(Descriptor Descriptor, string? Platform, long? Size, bool IsThere, Digest? AttestationOf);

/// <summary>Reads one manifest for people to look at. What is hidden is not found. Memory: a manifest and a config of at most 4 MiB each.</summary>
public sealed class ManifestDetails(IDbContextFactory<RegistryDbContext> contexts, ManifestFacts facts, ConfigBlobs configs)
{
    public const int MostChildren = 1000, MostTags = 100;

    /// <summary>Null: the repository has no such manifest, or no such tag.</summary>
    /// <exception cref="IOException">The store does not answer.</exception>
    public async Task<ManifestDetail?> FindAsync(RepositoryName repository, Reference reference, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;
        if (await DigestAsync(db, id, reference, cancellationToken) is not { } digest) return null;
        if ((await RowAsync(db, id, digest, cancellationToken)).SingleOrDefault() is not { } row) return null;

        var document = Parse(row);
        var size = row.Size ?? (await facts.MakeAsync(id, [digest], cancellationToken)).GetValueOrDefault(digest)?.Size;
        var image = await ImageAsync(row, document, cancellationToken);
        var tags = await db.Database.SqlQuery<string>(
            $"""
             SELECT name AS "Value" FROM tags WHERE repository_id = {id} AND manifest_digest = {digest} LIMIT {MostTags}
             """).ToListAsync(cancellationToken);
        tags.Sort(StringComparer.Ordinal);
        return new ManifestDetail(Digest.Parse(digest), row.MediaType, row.ArtifactType, row.Payload, document, size, image,
            BuildSteps.Of(document?.Layers ?? [], image?.History ?? []), await ChildrenAsync(db, id, document?.Manifests ?? [], cancellationToken),
            tags.ConvertAll(TagName.Parse), row.CreatedAt, row.PushedAt, row.Account);
    }

    private static async Task<string?> DigestAsync(RegistryDbContext db, long repository, Reference reference, CancellationToken cancellationToken)
    {
        if (reference.Digest is { } digest) return digest.ToString();
        var tag = reference.ToString();
        return await db.Tags.Where(row => row.RepositoryId == repository && row.Name == tag).Select(row => row.ManifestDigest)
            .SingleOrDefaultAsync(cancellationToken);
    }

    private static Task<List<Row>> RowAsync(RegistryDbContext db, long repository, string digest, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<Row>(
            $"""
             SELECT m.media_type AS "MediaType", m.artifact_type AS "ArtifactType", m.payload AS "Payload", m.created_at AS "CreatedAt",
                    x.size AS "Size", x.account AS "Account", x.pushed_at AS "PushedAt", b.location AS "ConfigLocation", b.size AS "ConfigSize"
             FROM manifests m
                 LEFT JOIN manifest_facts x ON x.repository_id = m.repository_id AND x.digest = m.digest
                 LEFT JOIN blob_links l ON l.repository_id = m.repository_id AND l.digest = m.config_digest
                 LEFT JOIN blobs b ON b.digest = l.digest AND b.quarantined_at IS NULL
             WHERE m.repository_id = {repository} AND m.digest = {digest} AND m.deleted_at IS NULL
             """).ToListAsync(cancellationToken);

    private async Task<ImageConfig?> ImageAsync(Row row, ManifestDocument? document, CancellationToken cancellationToken)
    {
        if (document?.Config is not { } config || !ManifestFacts.IsImageConfig(config.MediaType) || row.ConfigLocation is not { } location) return null;
        return await configs.ReadAsync(new BlobLocation(location), row.ConfigSize!.Value, cancellationToken) is { } bytes ? ImageConfigReader.Read(bytes) : null;
    }

    private static async Task<IReadOnlyList<IndexChild>> ChildrenAsync(
        RegistryDbContext db, long repository, IReadOnlyList<Descriptor> entries, CancellationToken cancellationToken)
    {
        if (entries.Count == 0) return [];
        var shown = entries.Take(MostChildren).ToList();
        var digests = shown.ConvertAll(entry => entry.Digest.ToString()).Distinct().ToArray();
        var known = (await db.Database.SqlQuery<Child>(
            $"""
             SELECT m.digest AS "Digest", x.size AS "Size", coalesce(x.platforms[1], '') AS "Platform" FROM unnest({digests}) d (digest)
                 JOIN manifests m ON m.repository_id = {repository} AND m.digest = d.digest
                 LEFT JOIN manifest_facts x ON x.repository_id = m.repository_id AND x.digest = m.digest
             WHERE m.deleted_at IS NULL
             """).ToListAsync(cancellationToken)).ToDictionary(child => child.Digest, StringComparer.Ordinal);
        return shown.ConvertAll(entry =>
        {
            var child = known.GetValueOrDefault(entry.Digest.ToString());
            var platform = entry.Platform is { } on ? PlatformText.Of(on.Os, on.Architecture, on.Variant) : child?.Platform is { Length: > 0 } own ? own : null;
            return new IndexChild(entry, platform, child?.Size, child is not null, Attestations.SubjectOf(entry));
        });
    }

    private static ManifestDocument? Parse(Row row)
    {
        try
        {
            return ManifestDocument.Parse(row.Payload, row.MediaType);
        }
        catch (OciException)
        {
            // Taken by an earlier version, with other rules.
            return null;
        }
    }

    private sealed record Row(string MediaType, string? ArtifactType, byte[] Payload, DateTimeOffset CreatedAt, long? Size, string? Account,
        DateTimeOffset? PushedAt, string? ConfigLocation, long? ConfigSize);

    private sealed record Child(string Digest, long? Size, string Platform);
}

internal static class BuildSteps
{
    /// <summary>Matches what the history says to the layers, in order, passing over steps that made none.</summary>
    public static IReadOnlyList<BuildStep> Of(IReadOnlyList<Descriptor> layers, IReadOnlyList<ImageHistory> history)
    {
        var steps = new List<BuildStep>(layers.Count + history.Count);
        var next = 0;
        foreach (var step in history)
        {
            if (step.IsEmptyLayer || next == layers.Count) steps.Add(new BuildStep(step, null, null));
            else steps.Add(new BuildStep(step, layers[next], next++));
        }

        for (; next < layers.Count; next++) steps.Add(new BuildStep(null, layers[next], next));
        return steps;
    }
}
