using Gantry.Core.Look;

namespace Gantry.Server.Ui;

/// <summary>
/// A place in a list of packages that differ, as text <c>manager/name/architecture</c>. Compared part by part, as the list is sorted: what stands between two parts would
/// else be weighed against characters of longer names.
/// </summary>
internal readonly record struct PackagePlace(string Manager, string Name, string Architecture)
{
    public static PackagePlace Of(PackageChange change) => new(change.Manager, change.Name, change.Architecture ?? "");

    /// <summary>Null where it is no place.</summary>
    public static PackagePlace? Parse(string? text)
    {
        var (first, last) = (text?.IndexOf('/', StringComparison.Ordinal) ?? -1, text?.LastIndexOf('/') ?? -1);
        return first < 0 || first == last ? null : new PackagePlace(text![..first], text[(first + 1)..last], text[(last + 1)..]);
    }

    public bool IsBefore(PackageChange change)
    {
        var order = string.CompareOrdinal(Manager, change.Manager);
        if (order == 0) order = string.CompareOrdinal(Name, change.Name);
        return (order == 0 ? string.CompareOrdinal(Architecture, change.Architecture ?? "") : order) < 0;
    }

    public override string ToString() => $"{Manager}/{Name}/{Architecture}";
}
