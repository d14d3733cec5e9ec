namespace Gantry.Server.Ui;

/// <summary>
/// Finds names by their beginning in a listing that goes on after a name: names are compared byte for byte, so those with one
/// beginning stand together, right after <see cref="Before"/>.
/// </summary>
internal static class NamePrefix
{
    /// <summary>A text after every name that is less than all with this beginning, and before those.</summary>
    /// <param name="prefix">Printable ASCII, not empty.</param>
    public static string Before(string prefix) => $"{prefix[..^1]}{(char)(prefix[^1] - 1)}\u007f";

    /// <summary>Where a page begins: behind the last one, within those that have the beginning.</summary>
    public static string? After(string? last, string? prefix)
    {
        if (prefix is null) return last;
        var before = Before(prefix);
        return last is not null && string.CompareOrdinal(last, before) > 0 ? last : before;
    }

    /// <summary>What somebody typed, as the beginning of a name; null: nothing, all names. Names of nothing hold other characters.</summary>
    public static string? Of(string? typed) =>
        typed?.Trim() is { Length: > 0 and <= 255 } text && text.All(c => c is > ' ' and <= '~') ? text : null;

    public static List<string> Of(IEnumerable<string> page, string? prefix) =>
        [.. page.TakeWhile(name => prefix is null || name.StartsWith(prefix, StringComparison.Ordinal))];
}
