using Gantry.Core.Look.Packages;
using Gantry.Layers;
using Gantry.Layers.Tar;
using Gantry.Oci;

namespace Gantry.Core.Look.Indexing;

/// <summary>A layer that was read: its names in memory, and what is known of the whole.</summary>
/// <param name="Order">Its entries.</param>
/// <param name="DiffId">Of its bytes, decompressed.</param>
/// <param name="Bytes">Their number.</param>
/// <param name="Packages">Its lists of packages.</param>
internal sealed record ReadLayer(LayerOrder Order, Digest DiffId, long Bytes, IReadOnlyList<PackageFile> Packages)
{
    /// <exception cref="LayerException">It is no layer, or beyond a bound.</exception>
    public static ReadLayer From(Stream tar, LookOptions bounds, CancellationToken cancellationToken)
    {
        using var layer = new CheckedLayer(tar, bounds.MaxBytes, cancellationToken);
        using var reader = new TarReader(layer);
        var (tree, packages) = (new LayerTree(new MemoryBudget(bounds.MaxMemory)), new PackageReading());
        using var contents = new FileContents(packages);
        var build = new LayerBuild(tree, contents);
        for (var entries = 0L; reader.Next(); entries++)
        {
            // A name may cost as much as a thousand steps without a byte being read.
            cancellationToken.ThrowIfCancellationRequested();
            if (entries >= bounds.MaxEntries) throw new LayerException(LayerFault.TooLarge, $"the layer has more than {bounds.MaxEntries} entries");
            build.Add(reader);
        }

        reader.Drain();
        build.Finish(cancellationToken);
        return new ReadLayer(new LayerOrder(tree), layer.DiffId(), layer.Bytes, [.. packages.Files]);
    }
}
