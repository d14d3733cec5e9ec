using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Browse;

/// <summary>Whether a manifest that a tag once pointed at can be had again.</summary>
public enum MoveState
{
    /// <summary>It is there.</summary>
    Here,

    /// <summary>It was deleted, and can be restored for now.</summary>
    Restorable,

    /// <summary>It is gone for good.</summary>
    Gone,
}

/// <summary>One entry of a tag's history.</summary>
/// <param name="Id">In the order in which it happened; pages go by it.</param>
/// <param name="Digest">Where the tag pointed from then on; null: nowhere, it was deleted.</param>
/// <param name="Account">Who did it; null: nobody in particular, or a rule.</param>
/// <param name="State">Of the manifest.</param>
public sealed record TagMove(long Id, Digest? Digest, string? Account, DateTimeOffset At, MoveState State);

/// <summary>Where a tag pointed, newest first, a page at a time: an index scan, however often it moved.</summary>
public sealed class TagHistory(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    /// <summary>The largest page; bounds the memory of a listing.</summary>
    public const int MaxPage = 1000;

    /// <param name="before">Only entries before this id; null: from the newest on.</param>
    /// <returns>Null: there is no such repository. Empty: there never was such a tag.</returns>
    public async Task<IReadOnlyList<TagMove>?> PageAsync(
        RepositoryName repository, TagName tag, long? before, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;

        var (name, end, grace) = (tag.ToString(), before ?? long.MaxValue, options.Value.Grace);
        var rows = await db.Database.SqlQuery<MoveRow>(
            $"""
             SELECT h.id AS "Id", h.manifest_digest AS "Digest", h.account AS "Account", h.at AS "At",
                    m.digest IS NOT NULL AND m.deleted_at IS NULL AS "IsHere", coalesce(m.deleted_at > now() - {grace}, false) AS "IsRestorable"
             FROM tag_history h LEFT JOIN manifests m ON m.repository_id = h.repository_id AND m.digest = h.manifest_digest
             WHERE h.repository_id = {id} AND h.name = {name} AND h.id < {end} ORDER BY h.id DESC LIMIT {limit}
             """).ToListAsync(cancellationToken);
        return [.. rows.Select(Of)];
    }

    private static TagMove Of(MoveRow row) => new(
        row.Id, row.Digest is null ? null : Digest.Parse(row.Digest), row.Account, row.At,
        row.IsHere ? MoveState.Here : row.IsRestorable ? MoveState.Restorable : MoveState.Gone);

    private sealed record MoveRow(long Id, string? Digest, string? Account, DateTimeOffset At, bool IsHere, bool IsRestorable);
}
