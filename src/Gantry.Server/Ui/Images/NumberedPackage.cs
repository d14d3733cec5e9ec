using System.Globalization;
using Gantry.Core.Look;

namespace Gantry.Server.Ui;

/// <summary>A package of a sorted list, with its number among those of its name: an image may name hundreds of versions of one.</summary>
/// <param name="Number">From 1.</param>
internal readonly record struct NumberedPackage(ImagePackage Package, int Number)
{
    /// <summary>Where it stands, as text: <c>manager/name/number</c>.</summary>
    public string Place => string.Create(CultureInfo.InvariantCulture, $"{Name}/{Number}");

    private string Name => $"{Package.Manager}/{Package.Name}";

    public static IEnumerable<NumberedPackage> Of(IEnumerable<ImagePackage> packages)
    {
        var last = new NumberedPackage();
        foreach (var package in packages)
        {
            var isSame = last.Package is { } before && before.Manager == package.Manager && before.Name == package.Name;
            yield return last = new(package, isSame ? last.Number + 1 : 1);
        }
    }

    /// <param name="place">A <see cref="Place"/>; without a number it is behind all of that name.</param>
    public bool IsAfter(string place)
    {
        var end = place.LastIndexOf('/');
        var (name, number) = end >= 0 && int.TryParse(place.AsSpan(end + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var told)
            ? (place[..end], told) : (place, int.MaxValue);
        var order = string.CompareOrdinal(Name, name);
        return order == 0 ? Number > number : order > 0;
    }
}
