using System.Runtime.CompilerServices;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

public enum RepositorySort
{
    Name,
    Size,
    Pushed,

    /// <summary>Never is longest ago.</summary>
    Pulled,
}

/// <summary>A repository in a listing. What is counted is as of <see cref="CountedAt"/>, moments after the last change where nodes keep up.</summary>
/// <param name="Size">All bytes that it holds; null: not counted yet.</param>
/// <param name="Own">The part that no other repository holds.</param>
/// <param name="Reclaimable">The part that nothing live needs.</param>
/// <param name="PulledAt">Within some seconds; null: never, as far as anybody counted.</param>
public sealed record RepositoryInfo(
    RepositoryName Name, Visibility Visibility, long? Size, long? Own, long? Reclaimable, long? Manifests, long? Tags,
    DateTimeOffset CreatedAt, DateTimeOffset? PushedAt, DateTimeOffset? PulledAt, long Pulls, DateTimeOffset? CountedAt);

/// <summary>Which repositories, in what order.</summary>
/// <param name="Words">All of them are in the name, in whatever case and order; parted by white space. Empty: all repositories.</param>
/// <param name="Namespace">Of this one alone; null: of all.</param>
public sealed record RepositoryQuery(
    string Words = "", NamespaceName? Namespace = null, RepositorySort Sort = RepositorySort.Name, bool Descending = false)
{
    /// <summary>More than a name has room for is found nowhere.</summary>
    internal const int MostWords = 20;
}

/// <summary>
/// The repositories that hold something and that the caller may read, a page at a time. Words are held against each name: names are
/// short, ten thousand are some milliseconds, and no index that every PostgreSQL has finds a part of a word.
/// </summary>
public sealed class RepositoryListing(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>The largest page; bounds the memory of a listing.</summary>
    public const int MaxPage = 1000;

    /// <param name="after">What the page before said; null: from the start.</param>
    /// <exception cref="OciException">UNSUPPORTED (400): <paramref name="after"/> is no place.</exception>
    public async Task<Listed<RepositoryInfo>> PageAsync(
        Caller caller, RepositoryQuery query, string? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        var scan = RepositoryScan.Of(query);
        var place = after is null ? scan.Start : RepositoryPlace.Parse(after, query.Sort);
        if (RepositoryScan.Patterns(query.Words) is not { } patterns) return new Listed<RepositoryInfo>([], null);

        var (reach, decider) = await caller.ReachAsync(cancellationToken);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var page = new List<Row>(limit + 1);
        while (true)
        {
            var rows = await db.Database.SqlQuery<Row>(FormattableStringFactory.Create(
                scan.For(limit + 1, patterns.Length > 0), place.Name, place.Size, place.At, patterns, reach.All, reach.Public, reach.AccountId,
                query.Namespace?.ToString() ?? "")).ToListAsync(cancellationToken);
            var readable = await ReadableAsync(rows, reach, decider, cancellationToken);
            page.AddRange(rows.Where(readable.Contains).Take(limit + 1 - page.Count));
            if (page.Count > limit || rows.Count <= limit) break;
            place = PlaceOf(rows[^1], query.Sort);
        }

        var next = page.Count > limit ? PlaceOf(page[limit - 1], query.Sort).ToString() : null;
        return new Listed<RepositoryInfo>([.. page.Take(limit).Select(InfoOf)], next);
    }

    /// <summary>One repository, whatever it holds; null: there is none. Whether the caller may read it was decided before.</summary>
    public async Task<RepositoryInfo?> FindAsync(RepositoryName repository, CancellationToken cancellationToken)
    {
        var name = repository.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.Database.SqlQuery<Row>(FormattableStringFactory.Create(RepositoryScan.One, name)).ToListAsync(cancellationToken);
        return rows.Select(InfoOf).SingleOrDefault();
    }

    /// <summary>Those that rules and the credential let the caller pull: asked of them alone for which the statement could not tell, a namespace after the other.</summary>
    private static async Task<HashSet<Row>> ReadableAsync(List<Row> rows, AccountReach reach, Caller decider, CancellationToken cancellationToken)
    {
        var readable = rows.Where(row => !reach.IsLimited && (reach.All || !row.HasRules)).ToHashSet();
        foreach (var row in rows.Except(readable).OrderBy(row => row.Name, StringComparer.Ordinal).ToList())
        {
            if (await decider.MayAsync(RepositoryActions.Pull, RepositoryName.Parse(row.Name), cancellationToken)) readable.Add(row);
        }

        return readable;
    }

    private static RepositoryPlace PlaceOf(Row row, RepositorySort sort) => new(sort, row.Name, row.Size ?? 0,
        sort == RepositorySort.Pulled ? row.PulledAt : row.PushedAt, row.Id);

    private static RepositoryInfo InfoOf(Row row)
    {
        var isCounted = row.CountedAt is not null;
        return new RepositoryInfo(RepositoryName.Parse(row.Name), Enum.Parse<Visibility>(row.Visibility, ignoreCase: true),
            isCounted ? row.Size : null, isCounted ? row.Own : null, isCounted ? row.Reclaimable : null, isCounted ? row.Manifests : null,
            isCounted ? row.Tags : null, row.CreatedAt, row.PushedAt, row.PulledAt, row.Pulls ?? 0, row.CountedAt);
    }

    private sealed record Row(long Id, string Name, string Visibility, bool HasRules, DateTimeOffset CreatedAt, long? Size, long? Own, long? Reclaimable,
        long? Manifests, long? Tags, DateTimeOffset? PushedAt, DateTimeOffset? PulledAt, long? Pulls, DateTimeOffset? CountedAt);
}
