using Gantry.Layers;
using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>Which media types are layers of files. What compresses them is told by the bytes, not by the name.</summary>
internal static class LayerMediaType
{
    private static readonly string[] Bases =
    [
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
    ];

    /// <summary>Null where it can be unpacked, otherwise why not, with the type named.</summary>
    public static string? WhyNot(string mediaType)
    {
        if (mediaType.EndsWith("+encrypted", StringComparison.Ordinal)) return $"the layer is encrypted ({mediaType}), and no keys are known here";
        return Array.Exists(Bases, known => IsOf(mediaType, known)) ? null : $"not a layer of files: {mediaType}";
    }

    /// <summary>Said to be a tar without compression: its digest is then its diffID (if the name is right).</summary>
    public static bool SaysUncompressed(string mediaType) => Array.IndexOf(Bases, mediaType) >= 0;

    /// <summary>What the name says of the compression.</summary>
    public static LayerCompression Announced(string mediaType) =>
        mediaType.EndsWith("gzip", StringComparison.Ordinal) ? LayerCompression.Gzip
        : mediaType.EndsWith("zstd", StringComparison.Ordinal) ? LayerCompression.Zstd : LayerCompression.None;

    public static bool IsForeign(string mediaType) => MediaTypes.IsNonDistributable(mediaType);

    private static bool IsOf(string mediaType, string known) => mediaType.StartsWith(known, StringComparison.Ordinal)
        && mediaType.AsSpan(known.Length) is "" or "+gzip" or "+zstd" or ".gzip" or ".zstd";
}
