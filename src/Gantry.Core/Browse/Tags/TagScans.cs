using System.Globalization;

namespace Gantry.Core.Browse;

/// <summary>One statement of a listing of tags, and where it begins.</summary>
/// <param name="Key">A time, an infinity or bytes, as PostgreSQL reads it.</param>
internal sealed record TagScan(string Sql, string Name, string Key);

/// <summary>
/// The statements that list tags: {0} repository, {1} name and {2} key of the place, {3} filter, {4} how many rows to look at, {5} how many
/// to give. The innermost scan has all of a key in its index; the rows themselves are only read for what is shown, one by one: of joins by two columns
/// PostgreSQL expects a thousand times what there is, and reads whole tables. The last row looked at comes along whether it matches or not: the next page
/// begins there.
/// </summary>
internal static class TagScans
{
    private const string Never = "-infinity";

    private const string Columns =
        """
        t.manifest_digest AS "Digest", m.media_type AS "MediaType",
               m.artifact_type AS "ArtifactType", x.size AS "Size", coalesce(x.platforms, '{{}}') AS "Platforms", x.image_created AS "ImageCreated",
               t.created_at AS "CreatedAt", t.updated_at AS "PushedAt", nullif(p.pulled_at, '-infinity') AS "PulledAt", coalesce(p.pulls, 0) AS "Pulls",
               coalesce(p.size, 0) AS "SortedSize"
        """;

    private const string Rest =
        """
            CROSS JOIN LATERAL (SELECT media_type, artifact_type FROM manifests WHERE repository_id = {0} AND digest = t.manifest_digest LIMIT 1) m
            LEFT JOIN LATERAL (SELECT pulled_at, pulls, size FROM tag_pulls WHERE repository_id = {0} AND name = t.name LIMIT 1) p ON true
            LEFT JOIN LATERAL (SELECT size, platforms, image_created FROM manifest_facts WHERE repository_id = {0} AND digest = t.manifest_digest LIMIT 1) x ON true
        """;

    private const string Shown =
        $$"""
        SELECT f.name AS "Name", f.matches AS "Matches", f.n = {4} AS "IsLast", {{Columns}}
        FROM (SELECT * FROM (FOUND) looked WHERE matches OR n = {4} ORDER BY ORDER LIMIT {5}) f
            CROSS JOIN LATERAL (SELECT * FROM tags WHERE repository_id = {0} AND name = f.name LIMIT 1) t
        {{Rest}}
        ORDER BY f.n
        """;

    /// <summary>One tag: {0} repository, {1} its name, {2} how many.</summary>
    public const string One =
        $$"""
        SELECT t.name AS "Name", true AS "Matches", true AS "IsLast", {{Columns}} FROM tags t
        {{Rest}}
        WHERE t.repository_id = {0} AND t.name = {1} LIMIT {2}
        """;

    private const string ByName =
        """
        SELECT name, row_number() OVER (ORDER BY name WAY) AS n, strpos(lower(name), {3}) > 0 AS matches FROM (
            SELECT name FROM tags WHERE repository_id = {0} AND name THAN {1} ORDER BY name WAY LIMIT {4}) t
        """;

    private const string ByPush =
        """
        SELECT name, updated_at, row_number() OVER (ORDER BY updated_at WAY, name WAY) AS n, strpos(lower(name), {3}) > 0 AS matches FROM (
            SELECT updated_at, name FROM tags WHERE repository_id = {0} AND (updated_at, name) THAN ({2}::timestamptz, {1})
            ORDER BY updated_at WAY, name WAY LIMIT {4}) t
        """;

    private const string ByPull =
        """
        SELECT name, pulled_at, row_number() OVER (ORDER BY pulled_at WAY, name WAY) AS n, strpos(lower(name), {3}) > 0 AS matches FROM (
            SELECT pulled_at, name FROM tag_pulls WHERE repository_id = {0} AND (pulled_at, name) THAN ({2}::timestamptz, {1})
            ORDER BY pulled_at WAY, name WAY LIMIT {4}) t
        """;

    private const string BySize =
        """
        SELECT name, size, row_number() OVER (ORDER BY size WAY, name WAY) AS n, strpos(lower(name), {3}) > 0 AS matches FROM (
            SELECT size, name FROM tag_pulls WHERE repository_id = {0} AND (size, name) THAN ({2}::bigint, {1})
            ORDER BY size WAY, name WAY LIMIT {4}) t
        """;

    private static readonly string[] Name = Both(ByName, "name WAY"), Push = Both(ByPush, "updated_at WAY, name WAY"),
        Pull = Both(ByPull, "pulled_at WAY, name WAY"), Size = Both(BySize, "size WAY, name WAY");

    /// <summary>Never pulled is <c>-infinity</c> in its table, and a size that is not known is zero.</summary>
    public static TagScan Of(TagQuery query, TagPlace? from)
    {
        var (sql, least, most) = query.Sort switch
        {
            TagSort.Pushed => (Push, Never, "infinity"), TagSort.Pulled => (Pull, Never, "infinity"), TagSort.Size => (Size, "-1", $"{long.MaxValue}"),
            _ => (Name, "", ""),
        };
        if (from is { } place) return new TagScan(sql[query.Descending ? 1 : 0], place.Name, KeyOf(place, query.Sort));
        return query.Descending ? new TagScan(sql[1], Places.BehindNames, most) : new TagScan(sql[0], "", least);
    }

    private static string KeyOf(TagPlace place, TagSort sort) => sort switch
    {
        TagSort.Name => "",
        TagSort.Size => $"{place.Key}",
        _ => place.Key is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero).ToString("O", CultureInfo.InvariantCulture) : Never,
    };

    private static string[] Both(string found, string order)
    {
        var sql = Shown.Replace("FOUND", found, StringComparison.Ordinal).Replace("ORDER BY ORDER", $"ORDER BY {order}", StringComparison.Ordinal);
        return [Way(sql, "ASC", ">"), Way(sql, "DESC", "<")];
    }

    private static string Way(string sql, string way, string than) =>
        sql.Replace("WAY", way, StringComparison.Ordinal).Replace("THAN", than, StringComparison.Ordinal);
}
