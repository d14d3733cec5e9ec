using System.Runtime.InteropServices;

namespace Gantry.Layers.Tar;

/// <summary>A stretch of data in a sparse file.</summary>
internal readonly record struct SparseRegion(long Offset, long Length)
{
    public long End => Offset + Length;
}

/// <summary>Where the stored bytes of a sparse file belong. Reused for every entry; its memory is bounded by <see cref="TarLimits.SparseRegions"/>.</summary>
internal sealed class SparseMap(TarLimits limits)
{
    private readonly List<SparseRegion> _regions = [];

    /// <summary>As many as the archive named, empty ones too (GNU marks the file's end with one).</summary>
    public int Count { get; private set; }

    /// <summary>In order, none empty.</summary>
    public ReadOnlySpan<SparseRegion> Regions => CollectionsMarshal.AsSpan(_regions);

    public void Clear()
    {
        Count = 0;
        _regions.Clear();
    }

    public void Add(long offset, long length)
    {
        if (++Count > limits.SparseRegions) throw new LayerException(LayerFault.TooLarge, $"a sparse file has more than {limits.SparseRegions} pieces");
        var previous = _regions.Count == 0 ? default : _regions[^1];
        if (offset < 0 || length < 0 || offset > long.MaxValue - length || offset < previous.End)
            throw new LayerException(LayerFault.Archive, "a sparse file's map is out of order or overlaps");
        if (length > 0) _regions.Add(new SparseRegion(offset, length));
    }

    /// <summary>Holds the map against the file's size and the bytes that the archive has for it; any other map would read into the next header.</summary>
    public void Check(long size, long stored)
    {
        var sum = 0L;
        foreach (var region in _regions) sum += region.Length;
        if (sum != stored) throw new LayerException(LayerFault.Archive, $"a sparse file's map speaks of {sum} bytes, the archive has {stored}");
        if (_regions.Count > 0 && _regions[^1].End > size) throw new LayerException(LayerFault.Archive, "a sparse file's map ends behind the file");
    }
}
