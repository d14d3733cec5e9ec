using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Unicode;
using static Gantry.Oci.Serialization.ManifestFields;

namespace Gantry.Oci.Serialization;

/// <summary>
/// Reads a pushed document: 1. the bytes are one strict JSON object, 2. its fields are picked in one pass, 3. the media
/// type and with it the shape are settled, 4. the descriptors are read. A rule of a known type is never applied to an
/// unknown one, but a field that bears an OCI name must have OCI's form in both: what cannot be read cannot be kept.
/// </summary>
/// <remarks>
/// Memory: the JSON index costs 12 bytes a token, rented; with it and the texts read, 4 MiB of the worst documents we could
/// think of allocate 60 MiB, most of it garbage at once. CPU is linear in the bytes, duplicate keys included (tested).
/// </remarks>
internal static class ManifestReader
{
    private const int MaxDepth = 64;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };

    private static readonly FrozenSet<string> FieldNames = KnownNames(
        "schemaVersion", "mediaType", "artifactType", "config", "layers", "blobs", "manifests", "subject",
        "annotations", "fsLayers", "signatures");

    public static ManifestDocument Read(ReadOnlyMemory<byte> content, string? contentType)
    {
        using var json = ParseStrictly(content);
        try
        {
            return Read(json.RootElement, contentType);
        }
        catch (InvalidOperationException)
        {
            // The JSON reader says so of an escape like \ud800 without its second half, only once the text is wanted.
            throw Invalid("a string holds half a surrogate pair");
        }
    }

    private static JsonDocument ParseStrictly(ReadOnlyMemory<byte> content)
    {
        if (content.Length > ManifestDocument.MaxBytes) throw Invalid($"larger than {ManifestDocument.MaxBytes} bytes");
        if (content.Span.StartsWith("\uFEFF"u8)) throw Invalid("starts with a byte order mark");
        if (!Utf8.IsValid(content.Span)) throw Invalid("not UTF-8");

        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(content, Strict);
        }
        catch (JsonException e) when (e.LineNumber is null)
        {
            throw Invalid($"not strict JSON: {Shown(e.Message, 100)}"); // a duplicate key; the message holds 15 letters of it
        }
        catch (JsonException e)
        {
            throw Invalid($"not JSON, or nested deeper than {MaxDepth}, "
                + $"at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
        }
        catch (InvalidOperationException)
        {
            throw Invalid("a key holds half a surrogate pair");
        }

        if (json.RootElement.ValueKind == JsonValueKind.Object) return json;
        json.Dispose();
        throw Invalid("not a JSON object");
    }

    private static ManifestDocument Read(JsonElement root, string? contentType)
    {
        JsonElement version = default, mediaType = default, artifactType = default, config = default, layers = default,
            blobs = default, manifests = default, subject = default, annotations = default, fsLayers = default,
            signatures = default;
        foreach (var (name, value) in Fields(root, "", FieldNames))
        {
            switch (name)
            {
                case "schemaVersion": version = value; break;
                case "mediaType": mediaType = value; break;
                case "artifactType": artifactType = value; break;
                case "config": config = value; break;
                case "layers": layers = value; break;
                case "blobs": blobs = value; break;
                case "manifests": manifests = value; break;
                case "subject": subject = value; break;
                case "annotations": annotations = value; break;
                case "fsLayers": fsLayers = value; break;
                case "signatures": signatures = value; break;
            }
        }

        var manifestShaped = IsGiven(config) || IsGiven(layers) || IsGiven(blobs);
        if (IsGiven(manifests) && manifestShaped) throw Invalid("both an index (manifests) and a manifest (config, layers)");

        var type = ManifestMediaType.Settle(contentType, OptionalString(mediaType, "mediaType"));
        if (ManifestMediaType.IsSchema1(type, version, IsGiven(fsLayers), IsGiven(signatures)))
            throw Invalid("Docker image manifests of schema 1 are not supported");

        type ??= IsGiven(manifests) ? MediaTypes.OciIndex
            : IsGiven(config) || IsGiven(layers) ? MediaTypes.OciManifest
            : throw Invalid("mediaType: missing, with neither manifests nor config and layers to tell it by");

        var index = MediaTypes.IsIndex(type) || (!MediaTypes.IsManifest(type) && IsGiven(manifests));
        if (MediaTypes.IsIndex(type) || MediaTypes.IsManifest(type))
        {
            RequireVersion2(version);
            if (index) Require(manifests, "manifests", manifestShaped, type);
            else Require(layers, "layers", IsGiven(manifests), type);
            if (!index && !IsGiven(config)) throw Invalid("config: missing");
        }

        var readConfig = index || !IsGiven(config) ? null : DescriptorReader.Read(config, "config");
        List<Descriptor> readLayers = index ? [] : DescriptorReader.ReadList(layers, "layers");
        if (!index && !MediaTypes.IsManifest(type)) readLayers.AddRange(DescriptorReader.ReadList(blobs, "blobs"));

        return new ManifestDocument(
            type,
            index ? ManifestKind.Index : ManifestKind.Manifest,
            readConfig,
            readLayers,
            index ? DescriptorReader.ReadList(manifests, "manifests") : [],
            IsGiven(subject) ? DescriptorReader.Read(subject, "subject") : null,
            OptionalMediaType(artifactType, "artifactType") ?? readConfig?.MediaType,
            OptionalAnnotations(annotations, "annotations"));
    }

    private static void RequireVersion2(JsonElement version)
    {
        var isTwo = version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number == 2;
        if (!isTwo) throw Invalid("schemaVersion: must be 2");
    }

    /// <summary>Go clients write an empty list as null, so the field must be there, not hold something.</summary>
    private static void Require(JsonElement list, string name, bool otherShape, string type)
    {
        if (otherShape) throw Invalid($"the other shape than its media type says: {Shown(type)}");
        if (list.ValueKind == JsonValueKind.Undefined) throw Invalid($"{name}: missing");
    }
}
