using Gantry.Oci;

namespace Gantry.Engine.Remote;

/// <summary>A manifest or index as it came, not yet read.</summary>
/// <param name="MediaType">The <c>Content-Type</c> without parameters; null where the registry sent none.</param>
/// <param name="Digest">
/// Of exactly these bytes, computed here. It is the one asked for, where a digest was asked for; else it agrees with the registry's
/// <c>Docker-Content-Digest</c> where there is one, and is a sha256 where there is none.
/// </param>
/// <param name="Content">At most <see cref="ManifestDocument.MaxBytes"/>.</param>
public sealed record RemoteDocument(string? MediaType, Digest Digest, ReadOnlyMemory<byte> Content)
{
    /// <summary>Overlay mounts take 500 at the most; whoever has more wants something else.</summary>
    public const int MaxLayers = 1000;

    /// <summary>The parsed view; the caller's descriptor may know the media type better than the registry.</summary>
    /// <exception cref="EngineException">
    /// <see cref="EngineFault.InvalidDocument"/>, with what is wrong in which field; <see cref="EngineFault.TooLarge"/> past
    /// <see cref="MaxLayers"/> layers.
    /// </exception>
    public ManifestDocument Parse(string? mediaType = null)
    {
        try
        {
            var document = ManifestDocument.Parse(Content, mediaType ?? MediaType);
            return document.Layers.Count <= MaxLayers ? document
                : throw new EngineException(EngineFault.TooLarge, $"{Digest} has {document.Layers.Count} layers; {MaxLayers} is the limit");
        }
        catch (OciException invalid)
        {
            throw new EngineException(EngineFault.InvalidDocument, $"{Digest} cannot be read: {RemoteText.Shown(invalid.Detail)}", invalid);
        }
    }
}
