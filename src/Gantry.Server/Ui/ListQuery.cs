namespace Gantry.Server.Ui;

/// <summary>
/// How a page's listing is sorted, what it is narrowed to and where it begins, as the query says it, and the addresses of the same listing
/// in other ways: <c>?filter=v1&amp;sort=-pushed&amp;after=PLACE</c>.
/// </summary>
public sealed class ListQuery
{
    /// <summary>Longer than any name.</summary>
    private const int MaxFilter = 255;

    private readonly string[] _sorts;

    /// <param name="path">Of the page.</param>
    /// <param name="filter">The word that narrows it, in the query.</param>
    /// <param name="sorts">What it can be sorted by, each the way it goes first, descending behind a minus; the first is the usual one.</param>
    public ListQuery(Visit visit, string path, string filter, params string[] sorts)
    {
        (_sorts, Path, FilterName, Place) = (sorts, path, filter, visit.Query("after"));
        var sort = visit.Query("sort") is { } asked && sorts.Any(one => Bare(one) == Bare(asked)) ? asked : sorts[0];
        (Sort, Descending) = (Bare(sort), sort[0] == '-');
        Filter = visit.Query(filter)?.Trim() is { Length: > 0 and <= MaxFilter } text ? text : null;
    }

    public string Path { get; }

    public string FilterName { get; }

    /// <summary>Null: everything is listed.</summary>
    public string? Filter { get; }

    /// <summary>One of the words that were given, without its sign.</summary>
    public string Sort { get; }

    public bool Descending { get; }

    /// <summary>As the query has it; null: from the start.</summary>
    public string? Place { get; }

    public bool IsFirst => Place is null;

    /// <summary>As it stands in the query; null where it is the usual one.</summary>
    public string? Order => Signed(Sort, Descending) is var order && order != _sorts[0] ? order : null;

    /// <summary>The first page.</summary>
    public string First => Address(Filter, Order, null);

    public string? Next(string? place) => place is null ? null : Address(Filter, Order, place);

    /// <summary>Sorted by this; the other way round where it is already.</summary>
    public string By(string sort)
    {
        var usual = _sorts.First(one => Bare(one) == sort);
        var order = sort == Sort ? Signed(sort, !Descending) : usual;
        return Address(Filter, order == _sorts[0] ? null : order, null);
    }

    private string Address(string? filter, string? order, string? place)
    {
        string?[] parts = [Part(FilterName, filter), Part("sort", order), Part("after", place)];
        return string.Join('&', parts.Where(part => part is not null)) is { Length: > 0 } query ? $"{Path}?{query}" : Path;
    }

    private static string? Part(string name, string? value) => value is null ? null : $"{name}={Uri.EscapeDataString(value)}";

    private static string Bare(string sort) => sort.TrimStart('-');

    private static string Signed(string sort, bool descending) => descending ? $"-{sort}" : sort;
}
