using Gantry.Engine.Images;
using Gantry.Oci;

namespace Gantry.Engine.Archives;

/// <summary>An OCI layout (image-spec, "OCI Image Layout"): <c>index.json</c> names what is in it.</summary>
internal static class LayoutReader
{
    private const string RefName = "org.opencontainers.image.ref.name", ContainerdName = "io.containerd.image.name";

    /// <summary>Null where this is none.</summary>
    public static ImageArchive? TryOpen(IArchiveFiles files)
    {
        if (ReadBounded(files, "index.json") is not { } content) return null;
        var index = ImageDocument.Read(content, Digest.Of(content), MediaTypes.OciIndex);
        var images = index.Manifests
            .Where(entry => MediaTypes.IsManifest(entry.Descriptor.MediaType) || MediaTypes.IsIndex(entry.Descriptor.MediaType))
            .Select(entry => new ArchivedImage(NameOf(entry.Descriptor.Annotations), entry)).ToList();
        return new ImageArchive(files, images, [], []);
    }

    /// <summary>A small file of an archive as a whole.</summary>
    public static byte[]? ReadBounded(IArchiveFiles files, string name)
    {
        using var stream = files.Open(name);
        if (stream is null) return null;
        var content = new MemoryStream();
        var block = new byte[64 * 1024];
        while (stream.Read(block) is var count and > 0)
        {
            content.Write(block, 0, count);
            if (content.Length > ManifestDocument.MaxBytes) throw new EngineException(EngineFault.TooLarge, $"{name} has more than {ManifestDocument.MaxBytes} bytes");
        }

        return content.ToArray();
    }

    private static string? NameOf(IReadOnlyDictionary<string, string>? annotations) =>
        annotations?.GetValueOrDefault(ContainerdName) ?? annotations?.GetValueOrDefault(RefName);
}
