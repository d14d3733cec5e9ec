using Gantry.Engine.Images;
using Gantry.Engine.Remote;

namespace Gantry.Engine.Archives;

/// <summary>An image to be written to an archive: its name, its manifest, and its config where it is a container image.</summary>
/// <param name="Name">Null: under its digest alone.</param>
/// <param name="Manifest">For one platform.</param>
/// <param name="Config">Null for an artifact, which a docker archive cannot hold.</param>
public sealed record SavedImage(ImageName? Name, ImageDocument Manifest, ImageConfig? Config)
{
    /// <summary>All that goes into a layout, what the name points at last: that manifest alone, or an index with the manifests of all platforms before it.</summary>
    public IReadOnlyList<ImageDocument> Documents { get; init; } = [Manifest];
}
