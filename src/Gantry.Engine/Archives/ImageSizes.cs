using Gantry.Engine.Images;

namespace Gantry.Engine.Archives;

/// <summary>How much the layers of a stored image hold, each counted for this image alone: others may share it.</summary>
public static class ImageSizes
{
    /// <summary>Bytes of the files in each layer, bottom first, as docker counts them. Null where they are not all unpacked.</summary>
    public static IReadOnlyList<long>? Unpacked(ImageStore store, StoredImage image) => LocalFaults.AsEngine(() =>
        image.IsUnpackable && image.DiffIds.All(store.Layers.Has) ? image.DiffIds.Select(diffId => store.Layers.NotesOf(diffId).Bytes).ToList() : (IReadOnlyList<long>?)null);
}
