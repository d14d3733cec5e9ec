using Gantry.Oci;

namespace Gantry.Core.Look;

/// <summary>Which manifests are images of files, as the engine decides it.</summary>
internal static class ImageShape
{
    private const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    private static readonly string[] Bases = ["application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"];

    /// <summary>More than overlayfs and docker can stack; bounds what one question reads.</summary>
    public const int MaxLayers = 256;

    /// <summary>Null: an image that can be looked into.</summary>
    public static string? WhyNot(ManifestDocument document)
    {
        if (document.Kind == ManifestKind.Index) return "an index: one of its images has to be named";
        if (document.Config?.MediaType is not (MediaTypes.OciConfig or DockerConfig)) return "not a container image";
        if (document.Layers.Count > MaxLayers) return $"more than {MaxLayers} layers";
        if (document.Layers.Any(layer => MediaTypes.IsNonDistributable(layer.MediaType))) return "a layer of it is not distributed by this registry";
        return document.Layers.All(IsLayer) ? null : "a layer of it is none of files";
    }

    /// <summary>Null where the bytes are no manifest to this version, whatever an earlier one made of them.</summary>
    public static ManifestDocument? Read(byte[] payload, string mediaType)
    {
        try
        {
            return ManifestDocument.Parse(payload, mediaType);
        }
        catch (OciException)
        {
            return null;
        }
    }

    /// <summary>What of a manifest is read; empty for an artifact.</summary>
    public static IEnumerable<Digest> LayersOf(ManifestDocument? document) =>
        document is { Kind: ManifestKind.Manifest } && document.Config?.MediaType is MediaTypes.OciConfig or DockerConfig
            ? document.Layers.Where(IsLayer).Select(layer => layer.Digest).Distinct() : [];

    private static bool IsLayer(Descriptor layer) => Array.Exists(Bases, known => layer.MediaType.StartsWith(known, StringComparison.Ordinal)
        && layer.MediaType.AsSpan(known.Length) is "" or "+gzip" or "+zstd" or ".gzip" or ".zstd");
}
