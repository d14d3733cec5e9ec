using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>The repositories that hold something and that the caller may read, in lexical order, a page at a time.</summary>
public sealed class Catalog(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>The largest page; bounds the memory of a listing to this many names of 255 characters.</summary>
    public const int MaxPage = 1000;

    /// <returns>At most <paramref name="limit"/> names after <paramref name="last"/>.</returns>
    public async Task<IReadOnlyList<string>> PageAsync(Caller caller, string? last, int limit,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var page = new List<string>(limit);
        var after = last ?? "";
        while (page.Count < limit)
        {
            var names = await db.Database.SqlQuery<string>(
                $"""
                 SELECT r.name AS "Value" FROM repositories r
                 WHERE r.name > {after}
                   AND EXISTS (SELECT FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL)
                 ORDER BY r.name LIMIT {limit}
                 """).ToListAsync(cancellationToken);
            page.AddRange(names.Where(name => caller.MayReadAnywhere(RepositoryName.Parse(name))).Take(limit - page.Count));
            if (names.Count < limit) break;
            after = names[^1];
        }

        return page;
    }
}
