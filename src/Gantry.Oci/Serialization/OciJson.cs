using System.Text.Json;

namespace Gantry.Oci.Serialization;

/// <summary>Writes the few JSON shapes that a registry makes itself; manifests are served as they were pushed.</summary>
public static class OciJson
{
    /// <summary>The error envelope (distribution-spec, "Error Codes"); <c>detail</c> is left out where it is null.</summary>
    public static void WriteErrors(Utf8JsonWriter writer, params IEnumerable<(OciErrorCode Code, string? Detail)> errors)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("errors");
        foreach (var (code, detail) in errors)
        {
            var text = code.Text();
            writer.WriteStartObject();
            writer.WriteString("code", text.Wire);
            writer.WriteString("message", text.Message);
            if (detail is not null) writer.WriteString("detail", detail);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>
    /// An index of descriptors, as a referrers list answers it (distribution-spec, "Listing Referrers"). The list is
    /// there even when it is empty: clients take a null for a fault.
    /// </summary>
    public static void WriteIndex(Utf8JsonWriter writer, IEnumerable<Descriptor> manifests)
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 2);
        writer.WriteString("mediaType", MediaTypes.OciIndex);
        writer.WriteStartArray("manifests");
        foreach (var manifest in manifests) WriteDescriptor(writer, manifest);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>One descriptor; what is null in it is left out.</summary>
    public static void WriteDescriptor(Utf8JsonWriter writer, Descriptor descriptor)
    {
        writer.WriteStartObject();
        writer.WriteString("mediaType", descriptor.MediaType);
        writer.WriteString("digest", descriptor.Digest.ToString());
        writer.WriteNumber("size", descriptor.Size);
        if (descriptor.ArtifactType is not null) writer.WriteString("artifactType", descriptor.ArtifactType);
        if (descriptor.Annotations is not null) WriteAnnotations(writer, descriptor.Annotations);
        if (descriptor.Platform is not null) WritePlatform(writer, descriptor.Platform);
        writer.WriteEndObject();
    }

    private static void WriteAnnotations(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> annotations)
    {
        writer.WriteStartObject("annotations");
        foreach (var (key, value) in annotations) writer.WriteString(key, value);
        writer.WriteEndObject();
    }

    private static void WritePlatform(Utf8JsonWriter writer, Platform platform)
    {
        writer.WriteStartObject("platform");
        writer.WriteString("architecture", platform.Architecture);
        writer.WriteString("os", platform.Os);
        if (platform.OsVersion is not null) writer.WriteString("os.version", platform.OsVersion);
        if (platform.Variant is not null) writer.WriteString("variant", platform.Variant);
        writer.WriteEndObject();
    }
}
