using System.Text.Json;
using Gantry.Core.Look.Packages;
using Gantry.Core.Look.Trees;
using Npgsql;

namespace Gantry.Core.Look;

/// <summary>The packages of an image.</summary>
/// <param name="Packages">By manager, name and version.</param>
/// <param name="Faults">Lists that could not be read, or not to their ends: the path, and why.</param>
public sealed record PackageListing(IReadOnlyList<ImagePackage> Packages, IReadOnlyList<string> Faults);

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

    internal async Task<PackageListing> ListAsync(LookedImage image, CancellationToken cancellationToken)
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
        var (packages, faults) = (new List<ImagePackage>(), new List<string>());
        foreach (var (layer, paths) in shown.OrderBy(ofLayer => ofLayer.Key))
        {
            foreach (var some in paths.Chunk(Batch)) await AddAsync($"{image.Layers[layer].Digest}", some, packages, faults, cancellationToken);
        }

        packages.Sort(static (left, right) => Order(left, right));
        return new PackageListing(packages, faults);
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

    private async Task AddAsync(string layer, string[] paths, List<ImagePackage> packages, List<string> faults, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Lists);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = layer });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = paths });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var list = JsonSerializer.Deserialize<PackageFile>(reader.GetString(0))!;
            var room = MaxPackages - packages.Count;
            packages.AddRange(list.Packages.Take(room));
            if (list.Packages.Count > room) faults.Add($"{list.Path}: more than {MaxPackages} packages in an image");
            else if (list.Fault is not null) faults.Add($"{list.Path}: {list.Fault}");
        }
    }
}
