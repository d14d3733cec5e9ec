using System.Text.Json.Serialization;
using Gantry.Engine.Remote;
using Gantry.Engine.Snapshots;
using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>An image in the store: what its name pointed at when it was pulled, and everything that is kept for it.</summary>
public sealed record StoredImage
{
    public required ImageName Name { get; init; }

    /// <summary>What the name itself pointed at: an index, or the manifest.</summary>
    public required Descriptor Top { get; init; }

    /// <summary>Of the platform that was pulled.</summary>
    public required Descriptor Manifest { get; init; }

    public ImagePlatform? Platform { get; init; }

    /// <summary>Bottom first; empty where it was not unpacked.</summary>
    public IReadOnlyList<Digest> DiffIds { get; init; } = [];

    /// <summary>Null where there is nothing to stack.</summary>
    public ChainId? Chain => IsUnpackable ? ChainId.Of(DiffIds) : null;

    /// <summary>False for artifacts and what else cannot be unpacked here.</summary>
    public bool IsUnpackable { get; init; }

    /// <summary>Every blob that belongs to it: indexes on the way, manifest, config, layers.</summary>
    public IReadOnlyList<Digest> Blobs { get; init; } = [];

    /// <summary>Bytes of config and layers as they are stored.</summary>
    public long Size { get; init; }

    public DateTimeOffset Pulled { get; init; }

    /// <summary>All that must stay while this image does.</summary>
    internal IEnumerable<Digest> Uses => [.. Blobs, .. DiffIds, .. Chain is { } chain ? [chain.Digest] : Array.Empty<Digest>()];
}

/// <summary>The same as it lies in the store: names and digests as text.</summary>
internal sealed record StoredImageFile(
    string Name, StoredDescriptor Top, StoredDescriptor Manifest, string? Platform, string[] DiffIds, bool IsUnpackable, string[] Blobs, long Size, DateTimeOffset Pulled)
{
    public static StoredImageFile Of(StoredImage image) => new(image.Name.Canonical, StoredDescriptor.Of(image.Top), StoredDescriptor.Of(image.Manifest),
        image.Platform?.ToString(), [.. image.DiffIds.Select(digest => digest.ToString())], image.IsUnpackable,
        [.. image.Blobs.Select(digest => digest.ToString())], image.Size, image.Pulled);

    /// <exception cref="FormatException">Something in it is not what was written.</exception>
    public StoredImage Read() => new()
    {
        Name = ImageName.TryParse(Name, out var name) ? name : throw new FormatException("not an image name"),
        Top = Top.Read(),
        Manifest = Manifest.Read(),
        Platform = ImagePlatform.TryParse(Platform, out var platform) ? platform : null,
        DiffIds = [.. DiffIds.Select(Digest.Parse)],
        IsUnpackable = IsUnpackable,
        Blobs = [.. Blobs.Select(Digest.Parse)],
        Size = Size,
        Pulled = Pulled,
    };
}

internal sealed record StoredDescriptor(string MediaType, string Digest, long Size)
{
    public static StoredDescriptor Of(Descriptor descriptor) => new(descriptor.MediaType, descriptor.Digest.ToString(), descriptor.Size);

    public Descriptor Read() => new(MediaType, Oci.Digest.Parse(Digest), Size);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StoredImageFile))]
internal sealed partial class StoredImageJson : JsonSerializerContext;
