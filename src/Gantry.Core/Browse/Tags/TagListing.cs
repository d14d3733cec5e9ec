using System.Globalization;
using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

public enum TagSort
{
    Name,

    /// <summary>When it was last moved.</summary>
    Pushed,

    /// <summary>When it, or what it names, was last pulled; never is longest ago.</summary>
    Pulled,

    /// <summary>Of what it names; not known yet is smallest.</summary>
    Size,
}

/// <summary>A tag and what it names.</summary>
/// <param name="Size">Of the manifest and all it holds, each digest once; null where it is not known yet.</param>
/// <param name="Platforms"><c>os/architecture[/variant]</c>.</param>
/// <param name="PushedAt">When it was made, or moved here.</param>
/// <param name="PulledAt">Within some seconds; null: never, as far as anybody counted.</param>
public sealed record TagInfo(
    TagName Name, Digest Digest, string MediaType, string? ArtifactType, long? Size, IReadOnlyList<string> Platforms, DateTimeOffset? ImageCreated,
    DateTimeOffset CreatedAt, DateTimeOffset PushedAt, DateTimeOffset? PulledAt, long Pulls);

/// <summary>Which tags, in what order.</summary>
/// <param name="Filter">Part of the name, in whatever case; empty: all.</param>
public sealed record TagQuery(TagSort Sort = TagSort.Name, bool Descending = false, string Filter = "");

/// <summary>A repository's tags with what they name, a page at a time: index scans in each order, whatever the repository's size.</summary>
public sealed class TagListing(IDbContextFactory<RegistryDbContext> contexts, ManifestFacts facts)
{
    /// <summary>The largest page; bounds the memory of a listing.</summary>
    public const int MaxPage = 1000;

    /// <summary>Names that a filter is held against, a page: ten milliseconds.</summary>
    internal const int Look = 10_000;

    /// <param name="after">What the page before said; null: from the start.</param>
    /// <returns>Null: no such repository.</returns>
    /// <exception cref="OciException">UNSUPPORTED (400): <paramref name="after"/> is no place.</exception>
    public async Task<Listed<TagInfo>?> PageAsync(
        RepositoryName repository, TagQuery query, string? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        var scan = TagScans.Of(query, after is null ? null : TagPlace.Parse(after, query.Sort));
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;
        if (!query.Filter.All(IsInNames)) return new Listed<TagInfo>([], null);

        // Without a filter no more rows are looked at than are shown.
        var look = query.Filter.Length == 0 ? limit + 1 : Look;
        var rows = await db.Database.SqlQuery<Row>(FormattableStringFactory.Create(
            scan.Sql, id, scan.Name, scan.Key, query.Filter.ToLowerInvariant(), look, limit + 1)).ToListAsync(cancellationToken);
        var found = rows.Where(row => row.Matches).ToList();
        var page = found.Take(limit).ToList();
        var last = found.Count > limit ? page[^1] : rows.Find(row => row.IsLast);
        return new Listed<TagInfo>(await CompleteAsync(id, page, cancellationToken), last is null ? null : PlaceOf(last, query.Sort).ToString());
    }

    /// <summary>One tag; null: no such repository, or no such tag.</summary>
    public async Task<TagInfo?> FindAsync(RepositoryName repository, TagName tag, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.FindRepositoryAsync(repository, cancellationToken) is not { } id) return null;
        var rows = await db.Database.SqlQuery<Row>(FormattableStringFactory.Create(TagScans.One, id, tag.ToString(), 1)).ToListAsync(cancellationToken);
        return (await CompleteAsync(id, rows, cancellationToken)).SingleOrDefault();
    }

    private async Task<IReadOnlyList<TagInfo>> CompleteAsync(long repository, List<Row> page, CancellationToken cancellationToken)
    {
        var missing = page.Where(row => row.Size is null).Select(row => row.Digest).ToList();
        var made = missing.Count == 0 ? null : await facts.MakeAsync(repository, missing, cancellationToken);
        return page.ConvertAll(row =>
        {
            var known = row.Size is { } size ? new ImageFacts(size, row.Platforms, row.ImageCreated) : made?.GetValueOrDefault(row.Digest);
            return new TagInfo(TagName.Parse(row.Name), Digest.Parse(row.Digest), row.MediaType, row.ArtifactType, known?.Size, known?.Platforms ?? [],
                known?.Created, row.CreatedAt, row.PushedAt, row.PulledAt, row.Pulls);
        });
    }

    private static bool IsInNames(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-';

    private static TagPlace PlaceOf(Row row, TagSort sort) => new(
        sort switch { TagSort.Pushed => row.PushedAt.UtcTicks, TagSort.Pulled => row.PulledAt?.UtcTicks, TagSort.Size => row.SortedSize, _ => null }, row.Name);

    internal sealed record Row(string Name, bool Matches, bool IsLast, string Digest, string MediaType, string? ArtifactType, long? Size,
        string[] Platforms, DateTimeOffset? ImageCreated, DateTimeOffset CreatedAt, DateTimeOffset PushedAt, DateTimeOffset? PulledAt, long Pulls, long SortedSize);
}

/// <summary>A place in a listing of tags, as text <c>name</c> or <c>key:name</c>.</summary>
/// <param name="Key">Ticks of a time, or bytes; null: sorted by name, or never pulled.</param>
internal readonly record struct TagPlace(long? Key, string Name)
{
    public static TagPlace Parse(string text, TagSort sort)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (!TagName.TryParse(text[(colon + 1)..], out var name)) throw Places.Invalid();
        if (colon < 0) return sort is TagSort.Name or TagSort.Pulled ? new(null, name.ToString()) : throw Places.Invalid();
        var isNumber = long.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var key);
        return isNumber && sort != TagSort.Name && (sort == TagSort.Size || key <= DateTimeOffset.MaxValue.UtcTicks)
            ? new(key, name.ToString()) : throw Places.Invalid();
    }

    public override string ToString() => Key is { } key ? $"{key}:{Name}" : Name;
}
