using System.Text.Json;
using Gantry.Core.Look.Packages;
using Gantry.Core.Look.Trees;
using Gantry.Oci;
using Npgsql;

namespace Gantry.Core.Look;

/// <summary>The packages of an image.</summary>
/// <param name="Packages">By manager, name, architecture and version; what two lists name is there once.</param>
/// <param name="Faults">Lists that could not be read, or not to their ends: the path, and why.</param>
public sealed record PackageListing(IReadOnlyList<ImagePackage> Packages, IReadOnlyList<string> Faults);

/// <summary>A page of them.</summary>
/// <param name="Image">The digest of the image: a tag may name another one by the time of the next page.</param>
/// <param name="Packages">By manager, name, architecture and version.</param>
/// <param name="Faults">As in <see cref="PackageListing"/>.</param>
/// <param name="IsLast">No more follow.</param>
public sealed record PackagePage(Digest Image, IReadOnlyList<ImagePackage> Packages, IReadOnlyList<string> Faults, bool IsLast);

/// <summary>
/// The packages that an image's own lists name. A list counts where the image shows it: of the uppermost layer that has it, unless another took it away. Memory: the packages,
/// at most <see cref="MaxPackages"/> of an image.
/// </summary>
public sealed class ImagePackages(NpgsqlDataSource database, LookedImages images)
{
    /// <summary>A whole desktop has some 5,000.</summary>
    public const int MaxPackages = 100_000;

    private const int MaxLists = 20_000, Batch = 500;

    private const string Paths =
        """
        SELECT s.digest, f ->> 'Path' FROM layer_listings s CROSS JOIN LATERAL jsonb_array_elements(s.packages) f
        WHERE s.digest = ANY ($1) AND s.packages IS NOT NULL LIMIT $2
        """;

    private const string Lists =
        """
        SELECT f FROM layer_listings s CROSS JOIN LATERAL jsonb_array_elements(s.packages) f WHERE s.digest = $1 AND f ->> 'Path' = ANY ($2)
        """;

    /// <summary>Null where the repository has no such manifest.</summary>
    public async Task<Looked<PackageListing>?> ListAsync(ImageName image, CancellationToken cancellationToken) =>
        await images.OpenAsync(image.Repository, image.Reference, cancellationToken) is not { } opened ? null
            : opened.Answer(opened.IsReady ? await ListAsync(opened, cancellationToken) : null);

    /// <summary>The first packages behind <paramref name="after"/>: all lists are read for it, and no more than a page is kept and sorted.</summary>
    /// <param name="image">Which.</param>
    /// <param name="after">The last one of the page before; null: from the start.</param>
    /// <param name="limit">How many.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null where the repository has no such manifest.</returns>
    public async Task<Looked<PackagePage>?> PageAsync(ImageName image, ImagePackage? after, int limit, CancellationToken cancellationToken)
    {
        if (await images.OpenAsync(image.Repository, image.Reference, cancellationToken) is not { } opened) return null;
        if (!opened.IsReady) return opened.Answer<PackagePage>(null);

        var page = new SortedSet<ImagePackage>(Comparer<ImagePackage>.Create(Order));
        var faults = await ReadAsync(opened, Keep, cancellationToken);
        var isLast = page.Count <= limit;
        return opened.Answer(new PackagePage(opened.Digest, [.. page.Take(limit)], faults, isLast));

        // One more than is shown says that there are more.
        void Keep(ImagePackage package)
        {
            if ((after is not null && Order(package, after) <= 0) || (page.Count > limit && Order(package, page.Max!) >= 0)) return;
            if (page.Add(package) && page.Count > limit + 1) page.Remove(page.Max!);
        }
    }

    internal async Task<PackageListing> ListAsync(LookedImage image, CancellationToken cancellationToken)
    {
        var packages = new SortedSet<ImagePackage>(Comparer<ImagePackage>.Create(Order));
        var faults = await ReadAsync(image, package => packages.Add(package), cancellationToken);
        return new PackageListing([.. packages], faults);
    }

    /// <summary>Hands on the packages in no order; returns the faults.</summary>
    private async Task<IReadOnlyList<string>> ReadAsync(LookedImage image, Action<ImagePackage> add, CancellationToken cancellationToken)
    {
        // 1. Where lists are, in any layer. 2. Which of them the image shows, and from which layer.
        var tree = new MergedTree(images.Pages(image), image.Layers.Count, withHidden: false);
        var shown = new Dictionary<int, List<string>>();
        foreach (var path in await PathsAsync(image, cancellationToken))
        {
            if (!ImagePath.TryParse(path, out var list) || await tree.FindAsync(list, cancellationToken) is not { } found) continue;
            if (!shown.TryGetValue(found.Layer, out var ofLayer)) shown[found.Layer] = ofLayer = [];
            ofLayer.Add(path);
        }

        // 3. What they say.
        var (room, faults) = (MaxPackages, new List<string>());
        foreach (var (layer, paths) in shown.OrderBy(ofLayer => ofLayer.Key))
        {
            foreach (var some in paths.Chunk(Batch)) room = await AddAsync($"{image.Layers[layer].Digest}", some, add, room, faults, cancellationToken);
        }

        return faults;
    }

    internal static int Order(ImagePackage left, ImagePackage right)
    {
        var order = string.CompareOrdinal(left.Manager, right.Manager);
        if (order == 0) order = string.CompareOrdinal(left.Name, right.Name);
        if (order == 0) order = string.CompareOrdinal(left.Architecture, right.Architecture);
        return order == 0 ? string.CompareOrdinal(left.Version, right.Version) : order;
    }

    private async Task<IEnumerable<string>> PathsAsync(LookedImage image, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Paths);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. image.Layers.Select(layer => layer.Digest.ToString()).Distinct()] });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MaxLists });
        var paths = new SortedSet<string>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) paths.Add(reader.GetString(1));
        return paths;
    }

    /// <returns>For how many more there is room.</returns>
    private async Task<int> AddAsync(
        string layer, string[] paths, Action<ImagePackage> add, int room, List<string> faults, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Lists);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = layer });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = paths });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var list = JsonSerializer.Deserialize<PackageFile>(reader.GetString(0))!;
            foreach (var package in list.Packages.Take(room)) add(package);
            if (list.Packages.Count > room) faults.Add($"{list.Path}: more than {MaxPackages} packages in an image");
            else if (list.Fault is not null) faults.Add($"{list.Path}: {list.Fault}");
            room -= Math.Min(room, list.Packages.Count);
        }

        return room;
    }
}
