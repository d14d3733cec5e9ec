namespace Gantry.Layers.Compression;

/// <summary>
/// Memory for windows: what a zstd layer makes its reader remember, up to 128 MiB of each layer that is being read. Asked by several decoders at once, each from
/// its own thread.
/// </summary>
/// <remarks>Whoever reads layers side by side bounds them here; without one each decoder takes its own from the heap.</remarks>
public interface IWindowMemory
{
    /// <summary>At least so many bytes, aligned to a page. What it throws comes out of reading the layer, as it is.</summary>
    nint Take(nuint bytes);

    void GiveBack(nint memory, nuint bytes);

    /// <summary>Now and then: nobody is using the memory, so parts of it may be put elsewhere until somebody does. Throws nothing.</summary>
    void Rest(nint memory, nuint bytes);
}
