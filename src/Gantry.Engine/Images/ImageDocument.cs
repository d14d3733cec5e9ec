using System.Collections.Frozen;
using System.Text.Json;
using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>
/// A manifest or an index as a client reads it. The bytes are the truth and are what is stored; they hash to the descriptor's digest.
/// </summary>
public sealed record ImageDocument
{
    /// <summary>More layers than any image has that was made in good faith.</summary>
    public const int MaxLayers = 1000;

    private static readonly FrozenSet<string> RootNames = StrictJson.Names("schemaVersion", "fsLayers", "config", "layers", "manifests");
    private static readonly FrozenSet<string> DescriptorNames = StrictJson.Names("data", "urls", "platform");
    private static readonly FrozenSet<string> PlatformNames = StrictJson.Names("os.features");

    private ImageDocument(Descriptor descriptor, ReadOnlyMemory<byte> content, ManifestDocument view) =>
        (Descriptor, Content, View) = (descriptor, content, view);

    /// <summary>Of the document itself.</summary>
    public Descriptor Descriptor { get; }

    public ReadOnlyMemory<byte> Content { get; }

    public ManifestDocument View { get; }

    /// <summary>Null for an index.</summary>
    public ContentReference? Config { get; private init; }

    /// <summary>Bottom first.</summary>
    public IReadOnlyList<ContentReference> Layers { get; private init; } = [];

    /// <summary>Of an index, in its order.</summary>
    public IReadOnlyList<ContentReference> Manifests { get; private init; } = [];

    /// <summary>Reads a document that has been checked against its digest.</summary>
    /// <param name="content">At most <see cref="ManifestDocument.MaxBytes"/>.</param>
    /// <param name="digest">Of <paramref name="content"/>.</param>
    /// <param name="mediaType">What the descriptor that led here says, else the answer's <c>Content-Type</c>; null: the document decides.</param>
    /// <exception cref="EngineException">
    /// InvalidDocument; Unsupported for Docker's schema 1, whatever it is announced as; TooLarge; Mismatch where embedded data are not what their descriptor says.
    /// </exception>
    public static ImageDocument Read(ReadOnlyMemory<byte> content, Digest digest, string? mediaType)
    {
        if (content.Length > ManifestDocument.MaxBytes)
            throw new EngineException(EngineFault.TooLarge, $"the manifest {digest} has more than {ManifestDocument.MaxBytes} bytes");
        RefuseSchema1(mediaType);
        return StrictJson.Read(content, "the manifest", root => Read(content, digest, mediaType, root));
    }

    private static ImageDocument Read(ReadOnlyMemory<byte> content, Digest digest, string? mediaType, JsonElement root)
    {
        var fields = StrictJson.Fields(root, "the manifest", RootNames);
        var isVersion1 = fields.TryGetValue("schemaVersion", out var version)
            && version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number == 1;
        if (isVersion1 || fields.ContainsKey("fsLayers")) RefuseSchema1(MediaTypes.DockerSchema1);

        ManifestDocument view;
        try
        {
            view = ManifestDocument.Parse(content, mediaType);
        }
        catch (OciException e)
        {
            throw new EngineException(EngineFault.InvalidDocument, $"the manifest {digest} cannot be read: {e.Message}", e);
        }

        if (view.Layers.Count > MaxLayers)
            throw new EngineException(EngineFault.TooLarge, $"the manifest {digest} has {view.Layers.Count} layers, the limit is {MaxLayers}");
        return new ImageDocument(new Descriptor(view.MediaType, digest, content.Length), content, view)
        {
            Config = view.Config is null ? null : WithExtras(view.Config, fields["config"], "config"),
            Layers = ReadList(fields, "layers", view.Layers),
            Manifests = ReadList(fields, "manifests", view.Manifests),
        };
    }

    /// <summary>A manifest of a type unknown here may have <c>blobs</c> too, which bring nothing along.</summary>
    private static List<ContentReference> ReadList(Dictionary<string, JsonElement> fields, string name, IReadOnlyList<Descriptor> view)
    {
        var raw = fields.Items(name, "the manifest").ToList();
        return view.Select((descriptor, i) => i < raw.Count ? WithExtras(descriptor, raw[i], $"{name}[{i}]") : new ContentReference(descriptor)).ToList();
    }

    private static ContentReference WithExtras(Descriptor descriptor, JsonElement raw, string path)
    {
        var fields = StrictJson.Fields(raw, path, DescriptorNames);
        ReadOnlyMemory<byte>? data = null;
        if (fields.TryGetValue("data", out var text))
        {
            if (text.ValueKind != JsonValueKind.String || !text.TryGetBytesFromBase64(out var bytes)) throw StrictJson.Invalid($"{path}.data: not base64");
            if (bytes.Length != descriptor.Size || Digest.Of(bytes, descriptor.Digest.Algorithm) != descriptor.Digest)
                throw new EngineException(EngineFault.Mismatch, $"{path}.data is not the content that its descriptor {descriptor.Digest} says");
            data = bytes;
        }

        fields.TryGetValue("platform", out var platform);
        var features = StrictJson.Fields(platform, $"{path}.platform", PlatformNames).Texts("os.features", $"{path}.platform");
        return new ContentReference(descriptor, data, fields.Texts("urls", path), features);
    }

    private static void RefuseSchema1(string? mediaType)
    {
        if (mediaType is MediaTypes.DockerSchema1 or MediaTypes.DockerSchema1Signed)
            throw new EngineException(EngineFault.Unsupported, "this is a Docker image manifest of schema 1, which is not supported: push the image again with a current client");
    }
}
