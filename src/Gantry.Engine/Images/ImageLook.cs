using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>An image as its registry has it now.</summary>
/// <param name="Top">What the name points at.</param>
/// <param name="Config">Null for what is no container image.</param>
public sealed record SeenImage(Descriptor Top, ImageDocument Manifest, ImageConfig? Config);

/// <summary>Looks at an image without pulling it: manifest and config by the rules of a pull, no layer.</summary>
/// <param name="store">Keeps the documents.</param>
public sealed class ImageLook(ImageStore store, RemoteRegistries registries)
{
    public Task<SeenImage> LookAsync(ImageName name, ImagePlatform? platform, CancellationToken ct) => LocalFaults.AsEngineAsync(async () =>
    {
        using var lease = await store.LeaseAsync(ct);
        var origin = new ImageOrigin(store, registries.Open(name), lease);
        var resolved = await new ImageResolution(origin.OpenManifestAsync, origin.OpenConfigAsync).ResolveAsync(await origin.OpenTopAsync(name, ct), platform, ct);
        return new SeenImage(resolved.Top.Descriptor, resolved.Manifest, resolved.Config);
    });
}
