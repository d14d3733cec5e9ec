using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>A repository's tags in lexical order, a page at a time: keyset pages over the primary key, whatever the size.</summary>
public sealed class TagList(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>The largest page; bounds the memory of a listing to this many names of 128 characters.</summary>
    public const int MaxPage = 1000;

    /// <returns>At most <paramref name="limit"/> tags after <paramref name="last"/>; null: no such repository.</returns>
    public async Task<IReadOnlyList<string>?> PageAsync(RepositoryName repository, string? last, int limit,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;

        var after = last ?? "";
        return await db.Database.SqlQuery<string>(
            $"""
             SELECT name AS "Value" FROM tags WHERE repository_id = {id} AND name > {after} ORDER BY name LIMIT {limit}
             """).ToListAsync(cancellationToken);
    }
}
