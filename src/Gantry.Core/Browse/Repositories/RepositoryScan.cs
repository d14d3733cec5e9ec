using System.Globalization;

namespace Gantry.Core.Browse;

/// <summary>
/// A statement that lists repositories: {0} name, {1} size with id, {2} time of the place, {3} patterns, {4} to {6} the caller's reach, {7} namespace.
/// One of its own for each order, so that each follows an index. How many, and whether there are patterns, is in the text: of a prepared statement that is to hold names
/// against patterns that it does not know PostgreSQL thinks that it finds hardly any, and sorts them all (20 times the time at 10,000 repositories).
/// </summary>
internal sealed record RepositoryScan(string Sql, RepositoryPlace Start)
{
    private const string Columns =
        """
        SELECT r.id AS "Id", r.name AS "Name", n.visibility AS "Visibility", EXISTS (SELECT FROM access_rules a WHERE a.namespace_id = n.id) AS "HasRules",
               r.created_at AS "CreatedAt", s.size AS "Size", s.own AS "Own", s.reclaimable AS "Reclaimable", s.manifests AS "Manifests", s.tags AS "Tags",
               s.pushed_at AS "PushedAt", s.pulled_at AS "PulledAt", s.pulls AS "Pulls", s.counted_at AS "CountedAt"
        FROM repositories r JOIN namespaces n ON n.id = r.namespace_id
        """;

    /// <summary>{0} name.</summary>
    public const string One = $"{Columns} LEFT JOIN repository_statistics s ON s.repository_id = r.id WHERE r.name = {{0}}";

    // Namespaces first: others' repositories are not even looked at. The manifest is asked for by the order of its key, or a planner that
    // believes that most of them are this repository's would read them from the start.
    private const string Page =
        $$"""
        {{Columns}} STATISTICS
            CROSS JOIN LATERAL (SELECT true FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL ORDER BY m.digest LIMIT 1) held
        WHERE PLACE WORDS WITHIN
          AND ({4} OR r.namespace_id IN (
              SELECT o.id FROM namespaces o WHERE {5} AND o.visibility = 'public'
              UNION ALL
              SELECT b.namespace_id FROM memberships b WHERE b.account_id = {6} OR b.group_name IN
                  (SELECT g.name FROM account_groups g WHERE g.account_id = {6})))
        ORDER BY KEYS LIMIT MOST
        """;

    private static readonly Dictionary<(RepositorySort, bool Descending, bool Within), RepositoryScan> All =
        (from sort in Enum.GetValues<RepositorySort>() from back in new[] { false, true } from within in new[] { false, true }
         select (sort, back, within)).ToDictionary(key => key, key => Make(key.sort, key.back, key.within));

    /// <summary>The statement for so many rows, with or without patterns.</summary>
    public string For(int rows, bool hasPatterns) => Sql.Replace("LIMIT MOST", string.Create(CultureInfo.InvariantCulture, $"LIMIT {rows}"), StringComparison.Ordinal)
        .Replace("WORDS", hasPatterns ? "AND r.name LIKE ALL ({3})" : "", StringComparison.Ordinal);

    public static RepositoryScan Of(RepositoryQuery query) => All[(query.Sort, query.Descending, query.Namespace is not null)];

    /// <summary>What each name is held against; null: something in them is in no name.</summary>
    public static string[]? Patterns(string words)
    {
        var parts = words.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length > RepositoryQuery.MostWords) return null;
        return Array.TrueForAll(parts, part => part.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-' or '/'))
            ? Array.ConvertAll(parts, part => $"%{part.Replace("_", "\\_", StringComparison.Ordinal)}%") : null;
    }

    private static RepositoryScan Make(RepositorySort sort, bool descending, bool within)
    {
        var (place, keys) = sort switch
        {
            RepositorySort.Size => ("(s.size, s.repository_id) THAN ({1}, {0}::bigint)", "s.size WAY, s.repository_id WAY"),
            RepositorySort.Pushed => TimeOf("s.pushed_at"),
            RepositorySort.Pulled => TimeOf("s.pulled_at"),
            _ => ("r.name THAN {0}", "r.name WAY"),
        };
        var statistics = sort == RepositorySort.Name ? "LEFT JOIN LATERAL (SELECT * FROM repository_statistics WHERE repository_id = r.id LIMIT 1) s ON true"
            : "JOIN repository_statistics s ON s.repository_id = r.id";
        var sql = Page.Replace("STATISTICS", statistics, StringComparison.Ordinal)
            .Replace("PLACE", place, StringComparison.Ordinal).Replace("KEYS", keys, StringComparison.Ordinal)
            .Replace("WITHIN", within ? "AND r.namespace_id = (SELECT id FROM namespaces WHERE name = {7})" : "", StringComparison.Ordinal)
            .Replace("THAN", descending ? "<" : ">", StringComparison.Ordinal).Replace("WAY", descending ? "DESC" : "ASC", StringComparison.Ordinal);
        return new RepositoryScan(sql, RepositoryPlace.StartOf(sort, descending));
    }

    private static (string Place, string Keys) TimeOf(string column) =>
        ($"(coalesce({column}, '-infinity'), s.repository_id) THAN ({{2}}::timestamptz, {{0}}::bigint)",
         $"coalesce({column}, '-infinity') WAY, s.repository_id WAY");
}

/// <summary>A place in a listing of repositories: as text a name, or <c>key:id</c>.</summary>
/// <param name="Name">What {0} of the statement is: a name, or an id as text.</param>
/// <param name="At">A time or an infinity, as PostgreSQL reads it.</param>
internal sealed record RepositoryPlace(string Name, long Size, string At, string Text)
{
    private const string Never = "-infinity";

    public RepositoryPlace(RepositorySort sort, string name, long size, DateTimeOffset? at, long id)
        : this(sort == RepositorySort.Name ? name : $"{id}", size, at?.ToString("O", CultureInfo.InvariantCulture) ?? Never,
            sort switch { RepositorySort.Name => name, RepositorySort.Size => $"{size}:{id}", _ => $"{at?.UtcTicks ?? 0}:{id}" })
    {
    }

    public static RepositoryPlace StartOf(RepositorySort sort, bool descending) => descending
        ? new(sort == RepositorySort.Name ? Places.BehindNames : $"{long.MaxValue}", long.MaxValue, "infinity", "")
        : new(sort == RepositorySort.Name ? "" : "0", -1, Never, "");

    public static RepositoryPlace Parse(string text, RepositorySort sort)
    {
        if (sort == RepositorySort.Name)
            return Oci.RepositoryName.TryParse(text, out var name) ? new(sort, name.ToString(), 0, null, 0) : throw Places.Invalid();
        var parts = text.Split(':');
        if (parts.Length != 2 || !TryParse(parts[0], out var key) || !TryParse(parts[1], out var id)) throw Places.Invalid();
        if (sort == RepositorySort.Size) return new(sort, "", key, null, id);
        return key <= DateTimeOffset.MaxValue.UtcTicks
            ? new(sort, "", 0, key == 0 ? null : new DateTimeOffset(key, TimeSpan.Zero), id) : throw Places.Invalid();
    }

    public override string ToString() => Text;

    private static bool TryParse(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
