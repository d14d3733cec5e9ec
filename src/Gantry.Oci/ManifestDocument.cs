namespace Gantry.Oci;

/// <summary>Which of the two shapes of image-spec a document has.</summary>
public enum ManifestKind
{
    /// <summary>Names a config and layers (or an artifact's blobs).</summary>
    Manifest,

    /// <summary>Names other manifests.</summary>
    Index,
}

/// <summary>
/// The parsed view of a pushed manifest or index. The raw bytes stay the truth: they are what is stored, hashed and
/// served; this view is what the registry must know to keep references and to list referrers.
/// </summary>
/// <param name="MediaType">The type to serve the bytes with.</param>
/// <param name="Kind">Manifest or index.</param>
/// <param name="Config">A manifest's config; null for an index.</param>
/// <param name="Layers">A manifest's layers (for the retired OCI artifact manifest, its <c>blobs</c>), in order.</param>
/// <param name="Manifests">An index's entries, in order. They may point at blobs too (BuildKit's cache).</param>
/// <param name="Subject">What the document refers to, present in the registry or not.</param>
/// <param name="ArtifactType">
/// As referrers lists show it: the document's <c>artifactType</c>, else a manifest's config media type; null for an
/// index without one (distribution-spec, "Listing Referrers").
/// </param>
/// <param name="Annotations">
/// Null where the document has none. Any Unicode text as key and value, the character U+0000 too, which PostgreSQL's text
/// and jsonb cannot hold.
/// </param>
public sealed record ManifestDocument(
    string MediaType,
    ManifestKind Kind,
    Descriptor? Config,
    IReadOnlyList<Descriptor> Layers,
    IReadOnlyList<Descriptor> Manifests,
    Descriptor? Subject,
    string? ArtifactType,
    IReadOnlyDictionary<string, string>? Annotations)
{
    /// <summary>The largest document taken (distribution-spec, "Pushing Manifests": at least 4 MiB).</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>
    /// Reads a document, trusting nothing of it.
    /// </summary>
    /// <param name="content">The bytes as pushed, at most <see cref="MaxBytes"/>.</param>
    /// <param name="contentType">
    /// The request's <c>Content-Type</c> without parameters; null or empty where it has none, and
    /// <c>application/json</c> and <c>application/octet-stream</c> say no more than that. Otherwise it is the type the
    /// bytes are served with; without it the document's own <c>mediaType</c> is, else one told by the shape.
    /// </param>
    /// <exception cref="OciException">
    /// <see cref="OciErrorCode.ManifestInvalid"/>, and nothing else is ever thrown: not JSON, a duplicate key, both
    /// manifest and index, a wild digest or size, a media type that contradicts <paramref name="contentType"/>, Docker's
    /// schema 1. The detail names the field and shows at most 64 characters of it.
    /// </exception>
    public static ManifestDocument Parse(ReadOnlyMemory<byte> content, string? contentType) =>
        Serialization.ManifestReader.Read(content, contentType);
}
