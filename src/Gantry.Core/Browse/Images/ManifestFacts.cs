using System.Collections.Concurrent;
using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Gantry.Core.Browse;

/// <summary>What a listing says of a manifest.</summary>
/// <param name="Size">Of the manifest and all that it holds, each digest once.</param>
/// <param name="Platforms"><c>os/architecture[/variant]</c>; empty for what is no image.</param>
public sealed record ImageFacts(long Size, IReadOnlyList<string> Platforms, DateTimeOffset? Created);

/// <summary>
/// Makes what listings say of manifests, after their push and once: no push waits for a config to be read. Where a listing is faster it makes
/// them itself. Two nodes may make the same: it is the same.
/// </summary>
public sealed partial class ManifestFacts(
    IDbContextFactory<RegistryDbContext> contexts, ConfigBlobs configs, ILogger<ManifestFacts> logger)
{
    /// <summary>Manifests at a time; one after the other, so that memory is one of <see cref="ManifestDocument.MaxBytes"/> and its config.</summary>
    public const int Batch = 50;

    /// <summary>What a listing makes, a few at once: more than it can wait for stays unknown until the worker comes.</summary>
    private const int MostOnDemand = 100, AtOnce = 4;

    /// <summary>Manifests below one index whose bytes are added up.</summary>
    private const int MostHeld = 10_000;

    /// <summary>Platforms that one index is shown with.</summary>
    private const int MostPlatforms = 64;

    /// <summary>When a claim that nobody ended does not count any more, and what could not be read is tried again.</summary>
    private static readonly TimeSpan ClaimFor = TimeSpan.FromMinutes(1);

    /// <returns>How many were due; less than <see cref="Batch"/>: no more are.</returns>
    public async Task<int> MakeDueAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var due = await db.Database.SqlQuery<Due>(
            $"""
             UPDATE manifest_facts f SET due_at = now() + {ClaimFor} FROM (
                 SELECT repository_id, digest FROM manifest_facts WHERE due_at <= now()
                 ORDER BY due_at LIMIT {Batch} FOR UPDATE SKIP LOCKED) d
             WHERE f.repository_id = d.repository_id AND f.digest = d.digest
             RETURNING f.repository_id AS "Repository", f.digest AS "Digest"
             """).ToListAsync(cancellationToken);
        foreach (var one in due) await MakeAsync(db, one.Repository, one.Digest, cancellationToken);
        return due.Count;
    }

    /// <summary>Those that could be made, by digest: for a page of a listing that has none yet.</summary>
    internal async Task<IReadOnlyDictionary<string, ImageFacts>> MakeAsync(long repository, IEnumerable<string> digests, CancellationToken cancellationToken)
    {
        var made = new ConcurrentDictionary<string, ImageFacts>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(digests.Distinct(StringComparer.Ordinal).Take(MostOnDemand),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (digest, token) =>
            {
                await using var db = await contexts.CreateDbContextAsync(token);
                if (await MakeAsync(db, repository, digest, token) is { } facts) made[digest] = facts;
            });
        return made;
    }

    private async Task<ImageFacts?> MakeAsync(RegistryDbContext db, long repository, string digest, CancellationToken cancellationToken)
    {
        if ((await SourceAsync(db, repository, digest, cancellationToken)).SingleOrDefault() is not { } source) return null;

        ImageFacts facts;
        try
        {
            facts = await OfAsync(source, cancellationToken);
        }
        catch (IOException fault)
        {
            // The size is known all the same; the rest is tried again.
            LogPutOff(logger, digest, fault);
            return new ImageFacts(source.Size, [], null);
        }

        var (size, platforms, created) = (facts.Size, facts.Platforms.ToArray(), facts.Created);
        await contexts.InTransactionAsync(async write =>
        {
            await write.Database.ExecuteSqlAsync(
                $"""
                 INSERT INTO manifest_facts (repository_id, digest, size, platforms, image_created, due_at)
                 SELECT repository_id, digest, {size}, {platforms}, {created}::timestamptz, NULL
                 FROM manifests WHERE repository_id = {repository} AND digest = {digest}
                 ON CONFLICT (repository_id, digest) DO UPDATE
                     SET size = excluded.size, platforms = excluded.platforms, image_created = excluded.image_created, due_at = NULL
                 """, cancellationToken);
            // A statement of its own: it sees the tags of a follower that held the facts until now. By name, as each writer has them.
            await write.Database.ExecuteSqlAsync(
                $"""
                 UPDATE tag_pulls p SET size = {size} FROM (
                     SELECT o.name FROM tags t CROSS JOIN LATERAL (
                         SELECT name FROM tag_pulls WHERE repository_id = {repository} AND name = t.name AND size <> {size} LIMIT 1) o
                     WHERE t.repository_id = {repository} AND t.manifest_digest = {digest} ORDER BY o.name) named
                 WHERE p.repository_id = {repository} AND p.name = named.name
                 """, cancellationToken);
        }, cancellationToken);
        return facts;
    }

    private async Task<ImageFacts> OfAsync(Source source, CancellationToken cancellationToken)
    {
        if (Parse(source) is not { } document) return new ImageFacts(source.Size, [], null);
        if (document.Kind == ManifestKind.Index)
        {
            var platforms = document.Manifests.Select(entry => entry.Platform is { } on ? PlatformText.Of(on.Os, on.Architecture, on.Variant) : null)
                .OfType<string>().Distinct(StringComparer.Ordinal).Take(MostPlatforms).ToList();
            return new ImageFacts(source.Size, platforms, null);
        }

        if (document.Config is not { } descriptor || !IsImageConfig(descriptor.MediaType) || source.ConfigLocation is not { } location)
            return new ImageFacts(source.Size, [], null);
        var bytes = await configs.ReadAsync(new BlobLocation(location), source.ConfigSize!.Value, cancellationToken);
        var config = bytes is null ? null : ImageConfigReader.Read(bytes);
        return new ImageFacts(source.Size, config?.Platform is { } platform ? [platform] : [], config?.Created);
    }

    internal static bool IsImageConfig(string mediaType) =>
        mediaType is MediaTypes.OciConfig or "application/vnd.docker.container.image.v1+json";

    private static ManifestDocument? Parse(Source source)
    {
        try
        {
            return ManifestDocument.Parse(source.Payload, source.MediaType);
        }
        catch (OciException)
        {
            // Taken by an earlier version, with other rules.
            return null;
        }
    }

    // LATERAL: each row by its index, whatever the planner thinks of the recursion.
    private static Task<List<Source>> SourceAsync(RegistryDbContext db, long repository, string digest, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<Source>(
            $"""
             SELECT m.media_type AS "MediaType", m.payload AS "Payload", b.location AS "ConfigLocation", b.size AS "ConfigSize", (
                 WITH RECURSIVE held (digest) AS (
                     SELECT m.digest UNION SELECT r.child_digest FROM held h CROSS JOIN LATERAL (
                         SELECT child_digest FROM manifest_references
                         WHERE repository_id = {repository} AND manifest_digest = h.digest AND child_digest IS NOT NULL OFFSET 0) r),
                 counted AS (SELECT digest FROM held LIMIT {MostHeld}),
                 needed AS (SELECT DISTINCT r.blob_digest FROM counted c CROSS JOIN LATERAL (
                     SELECT blob_digest FROM manifest_references
                     WHERE repository_id = {repository} AND manifest_digest = c.digest AND blob_digest IS NOT NULL OFFSET 0) r)
                 SELECT coalesce((SELECT sum(p.bytes) FROM counted c CROSS JOIN LATERAL (
                            SELECT octet_length(payload) AS bytes FROM manifests WHERE repository_id = {repository} AND digest = c.digest LIMIT 1) p), 0)
                      + coalesce((SELECT sum(s.size) FROM needed n CROSS JOIN LATERAL (
                            SELECT size FROM blobs WHERE digest = n.blob_digest LIMIT 1) s), 0))::bigint AS "Size"
             FROM manifests m
                 LEFT JOIN blob_links l ON l.repository_id = m.repository_id AND l.digest = m.config_digest
                 LEFT JOIN blobs b ON b.digest = l.digest AND b.quarantined_at IS NULL
             WHERE m.repository_id = {repository} AND m.digest = {digest}
             """).ToListAsync(cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The config of {Digest} could not be read, which is tried again")]
    private static partial void LogPutOff(ILogger logger, string digest, Exception exception);

    private sealed record Due(long Repository, string Digest);

    private sealed record Source(string MediaType, byte[] Payload, string? ConfigLocation, long? ConfigSize, long Size);
}
