namespace Gantry.Oci;

/// <summary>Points at content (image-spec, "OCI Content Descriptors").</summary>
/// <param name="MediaType">Type of the content pointed at.</param>
/// <param name="Digest">Digest of the stored bytes.</param>
/// <param name="Size">Their number.</param>
/// <param name="ArtifactType">Set in indexes and referrers lists where the content is an artifact.</param>
/// <param name="Annotations">Null where the document has none.</param>
/// <param name="Platform">Set in indexes; null where the document has none.</param>
public sealed record Descriptor(
    string MediaType,
    Digest Digest,
    long Size,
    string? ArtifactType = null,
    IReadOnlyDictionary<string, string>? Annotations = null,
    Platform? Platform = null);

/// <summary>What an image runs on (image-spec, "Image Index", <c>platform</c>). Any words are allowed.</summary>
public sealed record Platform(string Os, string Architecture, string? Variant = null, string? OsVersion = null);
