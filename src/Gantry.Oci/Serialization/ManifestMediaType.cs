using System.Text.Json;
using static Gantry.Oci.Serialization.ManifestFields;

namespace Gantry.Oci.Serialization;

/// <summary>
/// Which media type a document has, out of what the request says and what the document says of itself. Where the two
/// contradict each other over a type whose shape we know, one client would read a manifest where another reads an index
/// (CVE-2021-41190), so the document is refused.
/// </summary>
internal static class ManifestMediaType
{
    /// <summary>Null where neither says anything: the shape decides then.</summary>
    public static string? Settle(string? contentType, string? documentType)
    {
        contentType = contentType?.Trim() is null or "" or "application/json" or "application/octet-stream"
            ? null
            : CheckedType(contentType.Trim(), "Content-Type", spaces: false);
        documentType = string.IsNullOrEmpty(documentType) ? null : CheckedType(documentType, "mediaType", spaces: false);

        var contradicts = contentType is not null && documentType is not null && contentType != documentType
            && (IsKnown(contentType) || IsKnown(documentType));
        if (contradicts)
            throw Invalid($"mediaType {Shown(documentType!)} contradicts the Content-Type {Shown(contentType!)}");

        return contentType ?? documentType;
    }

    /// <summary>
    /// Schema 1 told by its type or its fields. <c>fsLayers</c> counts under any type, as clients see it that way;
    /// <c>schemaVersion</c> and <c>signatures</c> are plain words that an unknown type may use for its own ends.
    /// </summary>
    public static bool IsSchema1(string? type, JsonElement version, bool fsLayers, bool signatures)
    {
        if (fsLayers || type is MediaTypes.DockerSchema1 or MediaTypes.DockerSchema1Signed) return true;

        var one = version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number == 1;
        return type is null ? one || signatures : one && IsKnown(type);
    }

    private static bool IsKnown(string type) =>
        MediaTypes.IsManifest(type) || MediaTypes.IsIndex(type)
        || type is MediaTypes.DockerSchema1 or MediaTypes.DockerSchema1Signed;
}
