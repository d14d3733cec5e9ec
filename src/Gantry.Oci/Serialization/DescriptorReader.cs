using System.Collections.Frozen;
using System.Text.Json;
using static Gantry.Oci.Serialization.ManifestFields;

namespace Gantry.Oci.Serialization;

/// <summary>
/// Reads descriptors (image-spec, "OCI Content Descriptors"). <c>data</c>, <c>urls</c> and unknown fields are the
/// client's affair and passed over.
/// </summary>
internal static class DescriptorReader
{
    private static readonly FrozenSet<string> FieldNames =
        KnownNames("mediaType", "digest", "size", "artifactType", "annotations", "platform");

    private static readonly FrozenSet<string> PlatformFieldNames =
        KnownNames("os", "architecture", "variant", "os.version");

    /// <summary>An absent list and a null are empty; the caller knows whether it must be there.</summary>
    public static List<Descriptor> ReadList(JsonElement list, string path)
    {
        var descriptors = new List<Descriptor>();
        if (!IsGiven(list)) return descriptors;
        if (list.ValueKind != JsonValueKind.Array) throw Invalid($"{path}: not an array");

        foreach (var item in list.EnumerateArray()) descriptors.Add(Read(item, $"{path}[{descriptors.Count}]"));
        return descriptors;
    }

    public static Descriptor Read(JsonElement of, string path)
    {
        if (of.ValueKind != JsonValueKind.Object) throw Invalid($"{path}: not a descriptor");

        JsonElement mediaType = default, digest = default, size = default, artifactType = default,
            annotations = default, platform = default;
        foreach (var (name, value) in Fields(of, $"{path}.", FieldNames))
        {
            switch (name)
            {
                case "mediaType": mediaType = value; break;
                case "digest": digest = value; break;
                case "size": size = value; break;
                case "artifactType": artifactType = value; break;
                case "annotations": annotations = value; break;
                case "platform": platform = value; break;
            }
        }

        return new Descriptor(
            OptionalMediaType(mediaType, $"{path}.mediaType") ?? throw Invalid($"{path}.mediaType: missing"),
            ReadDigest(digest, $"{path}.digest"),
            ReadSize(size, $"{path}.size"),
            OptionalMediaType(artifactType, $"{path}.artifactType"),
            OptionalAnnotations(annotations, $"{path}.annotations"),
            ReadPlatform(platform, $"{path}.platform"));
    }

    private static Digest ReadDigest(JsonElement value, string path)
    {
        var text = OptionalString(value, path) ?? throw Invalid($"{path}: missing");
        return Digest.TryParse(text, out var digest)
            ? digest
            : throw Invalid($"{path}: not a digest of a known algorithm: \"{Shown(text)}\"");
    }

    private static long ReadSize(JsonElement value, string path)
    {
        if (!IsGiven(value)) throw Invalid($"{path}: missing");
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var size) && size >= 0
            ? size
            : throw Invalid($"{path}: not a whole number of bytes from 0 to {long.MaxValue}");
    }

    private static Platform? ReadPlatform(JsonElement value, string path)
    {
        if (!IsGiven(value)) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Invalid($"{path}: not an object");

        string? os = null, architecture = null, variant = null, version = null;
        foreach (var (name, field) in Fields(value, $"{path}.", PlatformFieldNames))
        {
            switch (name)
            {
                case "os": os = OptionalString(field, $"{path}.os"); break;
                case "architecture": architecture = OptionalString(field, $"{path}.architecture"); break;
                case "variant": variant = OptionalString(field, $"{path}.variant"); break;
                case "os.version": version = OptionalString(field, $"{path}.os.version"); break;
            }
        }

        return new Platform(os ?? "", architecture ?? "", variant, version);
    }
}
