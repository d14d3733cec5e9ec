using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>What a namespace holds, added up over its repositories as they were last counted.</summary>
/// <param name="Size">A blob that several of them hold counts for each.</param>
/// <param name="Own">What is in one repository of the whole registry alone.</param>
/// <param name="Uncounted">Repositories that changed since they were counted, or never were.</param>
public sealed record NamespaceUsage(string Name, long Repositories, long Size, long Own, long Reclaimable, long Manifests, long Tags, long Uncounted);

/// <summary>What a listing of namespaces says of one, as its repositories were last counted.</summary>
/// <param name="Repositories">Those that hold something.</param>
/// <param name="Size">A blob that several of them hold counts for each.</param>
/// <param name="PushedAt">The last push to any of them; null: there was none.</param>
public sealed record NamespaceFigures(string Name, long Repositories, long Size, DateTimeOffset? PushedAt);

/// <summary>What the whole store holds.</summary>
/// <param name="Sample">Its blobs, each once, at the last full hour or so; null: nobody has looked yet.</param>
/// <param name="Linked">The sizes of all repositories added up: what it would be if none shared anything.</param>
public sealed record StoreUsage(StorageSample? Sample, long Repositories, long Linked, long Reclaimable, long Manifests, long Tags);

/// <summary>
/// Bytes: of one repository exactly, as things stand; of namespaces and of the store by what was counted, so that the cost of asking
/// is never by the size of the store.
/// </summary>
public sealed class Usage(IDbContextFactory<RegistryDbContext> contexts, StorageSamples samples)
{
    /// <summary>The largest page of namespaces.</summary>
    public const int MaxPage = 1000;

    /// <summary>Counts it now: some milliseconds for a thousand blobs. Null: no such repository.</summary>
    public async Task<RepositoryBytes?> OfRepositoryAsync(RepositoryName repository, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.FindRepositoryAsync(repository, cancellationToken) is { } id
            ? await db.MeasureAsync(id, () => Task.CompletedTask, cancellationToken) : null;
    }

    /// <summary>Null: no such namespace.</summary>
    public async Task<NamespaceUsage?> OfNamespaceAsync(NamespaceName name, CancellationToken cancellationToken)
    {
        var text = name.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await OfNamespacesAsync(db, $"SELECT id, name FROM namespaces WHERE name = {text}", cancellationToken)).SingleOrDefault();
    }

    /// <summary>All namespaces by name, at most <paramref name="limit"/> after <paramref name="last"/>: for administrators.</summary>
    public async Task<IReadOnlyList<NamespaceUsage>> PageAsync(string? last, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        var after = last ?? "";
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await OfNamespacesAsync(db, $"SELECT id, name FROM namespaces WHERE name > {after} ORDER BY name LIMIT {limit}", cancellationToken);
    }

    /// <summary>
    /// Those of these namespaces by their names. Where a rule keeps repositories from people, a sum would tell of them: only who sees everything
    /// is told. The cost is by the repositories of these alone.
    /// </summary>
    /// <param name="names">That the caller may see, at most <see cref="MaxPage"/>.</param>
    public async Task<IReadOnlyDictionary<string, NamespaceFigures>> FiguresAsync(
        AccountReach reach, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(names.Count, MaxPage);
        var (asked, all) = (names.ToArray(), reach.All);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await db.Database.SqlQuery<NamespaceFigures>(
            $"""
             SELECT n.name AS "Name", f.repositories AS "Repositories", f.size AS "Size", f.pushed_at AS "PushedAt"
             FROM unnest({asked}) a (name) JOIN namespaces n ON n.name = a.name CROSS JOIN LATERAL (
                 SELECT count(*) AS repositories, coalesce(sum(s.size), 0)::bigint AS size, max(s.pushed_at) AS pushed_at
                 FROM repositories r CROSS JOIN LATERAL (
                     SELECT size, pushed_at, manifests, counted_at FROM repository_statistics WHERE repository_id = r.id LIMIT 1) s
                 WHERE r.namespace_id = n.id AND (s.manifests > 0 OR s.counted_at IS NULL)) f
             WHERE {all} OR NOT EXISTS (SELECT FROM access_rules d WHERE d.namespace_id = n.id AND 'pull' = ANY (d.denied))
             """).ToListAsync(cancellationToken)).ToDictionary(figures => figures.Name, StringComparer.Ordinal);
    }

    public async Task<StoreUsage> OfStoreAsync(CancellationToken cancellationToken)
    {
        var sample = await samples.LatestAsync(cancellationToken);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var sum = (await db.Database.SqlQuery<Sum>(
            $"""
             SELECT count(*) AS "Repositories", coalesce(sum(size), 0)::bigint AS "Linked", coalesce(sum(reclaimable), 0)::bigint AS "Reclaimable",
                    coalesce(sum(manifests), 0)::bigint AS "Manifests", coalesce(sum(tags), 0)::bigint AS "Tags" FROM repository_statistics
             """).ToListAsync(cancellationToken)).Single();
        return new StoreUsage(sample, sum.Repositories, sum.Linked, sum.Reclaimable, sum.Manifests, sum.Tags);
    }

    private static Task<List<NamespaceUsage>> OfNamespacesAsync(RegistryDbContext db, FormattableString which, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<NamespaceUsage>(System.Runtime.CompilerServices.FormattableStringFactory.Create(
            $"""
             SELECT n.name AS "Name", count(r.id) AS "Repositories", coalesce(sum(s.size), 0)::bigint AS "Size", coalesce(sum(s.own), 0)::bigint AS "Own",
                    coalesce(sum(s.reclaimable), 0)::bigint AS "Reclaimable", coalesce(sum(s.manifests), 0)::bigint AS "Manifests",
                    coalesce(sum(s.tags), 0)::bigint AS "Tags",
                    count(r.id) FILTER (WHERE s.counted_at IS NULL OR s.stale_since IS NOT NULL) AS "Uncounted"
             FROM ({which.Format}) n LEFT JOIN repositories r ON r.namespace_id = n.id LEFT JOIN repository_statistics s ON s.repository_id = r.id
             GROUP BY n.name ORDER BY n.name
             """, which.GetArguments())).ToListAsync(cancellationToken);

    private sealed record Sum(long Repositories, long Linked, long Reclaimable, long Manifests, long Tags);
}
