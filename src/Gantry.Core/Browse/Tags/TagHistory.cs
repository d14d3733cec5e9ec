using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Browse;

/// <summary>A move of a tag.</summary>
/// <param name="Id">Later moves have larger ones.</param>
/// <param name="Account">Who did it; null: nobody in particular.</param>
/// <param name="From">Where it pointed before; null: nowhere.</param>
/// <param name="To">Null: it was deleted.</param>
/// <param name="IsThere">Whether the tag points there now.</param>
/// <param name="CanRestore">The manifest is still there, hidden or not, so that the tag could be put there again.</param>
/// <param name="Until">Where the manifest is hidden: when its grace is over.</param>
public sealed record TagMove(
    long Id, DateTimeOffset At, string? Account, Digest? From, Digest? To, bool IsThere, bool CanRestore, DateTimeOffset? Until);

/// <summary>Where a tag pointed, since it is known.</summary>
public sealed class TagHistory(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    /// <summary>The largest page; bounds the memory of a listing.</summary>
    public const int MaxPage = 1000;

    /// <param name="before">Only moves before this id; null: from the newest on.</param>
    /// <returns>At most <paramref name="limit"/> moves, newest first, of a tag that may be gone; null: no such repository.</returns>
    public async Task<IReadOnlyList<TagMove>?> PageAsync(
        RepositoryName repository, TagName tag, long? before, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        var (name, last, grace) = (tag.ToString(), before ?? long.MaxValue, options.Value.Grace);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;

        // One more: where the last one of the page came from.
        var rows = await db.Database.SqlQuery<Row>(
            $"""
             SELECT h.id AS "Id", h.at AS "At", h.account AS "Account", h.manifest_digest AS "To", t.name IS NOT NULL AS "IsThere",
                    m.digest IS NOT NULL AND (m.deleted_at IS NULL OR m.deleted_at > now() - {grace}) AS "CanRestore", m.deleted_at + {grace} AS "Until"
             FROM (SELECT id, at, account, manifest_digest FROM tag_history
                   WHERE repository_id = {id} AND name = {name} AND id < {last} ORDER BY id DESC LIMIT {limit + 1}) h
             LEFT JOIN manifests m ON m.repository_id = {id} AND m.digest = h.manifest_digest
             LEFT JOIN tags t ON t.repository_id = {id} AND t.name = {name} AND t.manifest_digest = h.manifest_digest
             ORDER BY h.id DESC
             """).ToListAsync(cancellationToken);
        return [.. rows.Take(limit).Select((row, number) => new TagMove(row.Id, row.At, row.Account,
            number + 1 < rows.Count ? Parse(rows[number + 1].To) : null, Parse(row.To), row.IsThere, row.CanRestore, row.Until))];
    }

    private static Digest? Parse(string? text) => text is null ? null : Digest.Parse(text);

    private sealed record Row(long Id, DateTimeOffset At, string? Account, string? To, bool IsThere, bool CanRestore, DateTimeOffset? Until);
}
