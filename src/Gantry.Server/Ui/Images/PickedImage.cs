using Gantry.Core.Browse;
using Gantry.Oci;

namespace Gantry.Server.Ui;

/// <summary>
/// What a path names, and the image that is meant by it: of an index the one for a platform. Pages go on with the image's digest, so that a tag that moves meanwhile does
/// not mix two images.
/// </summary>
/// <param name="Named">What the tag or the digest names.</param>
/// <param name="Image">Null: an index of which none is picked, or that has none to be picked.</param>
/// <param name="Platforms">That an index has live images for, in its order; empty for what is none.</param>
public sealed record PickedImage(ImageLinks Links, ManifestDetail Named, ManifestDetail? Image, IReadOnlyList<string> Platforms)
{
    /// <summary>What most people run, where nobody said.</summary>
    private const string Usual = "linux/amd64";

    public bool IsIndex => Named.Document?.Kind == ManifestKind.Index;

    /// <summary>The layers of <see cref="Image"/>, the lowest first.</summary>
    public IReadOnlyList<Descriptor> Layers => Image?.Document?.Layers ?? [];

    /// <summary>The image that a page's path and its <c>platform</c> name.</summary>
    /// <param name="picks">Whether of an index one image is picked where no platform is named.</param>
    /// <exception cref="PageException">404.</exception>
    public static async Task<PickedImage> ReadAsync(Visit visit, bool picks)
    {
        var named = await FindAsync(visit, visit.Reference ?? throw PageException.NotFound()) ?? throw PageException.NotFound();
        var platform = visit.Query("platform");
        if (platform is not null && !named.Platforms.Contains(platform)) throw PageException.NotFound();
        return platform is not null || picks ? await named.PickAsync(visit, platform) : named;
    }

    /// <summary>Null where the repository of the page has nothing by that name.</summary>
    public static async Task<PickedImage?> FindAsync(Visit visit, Reference reference)
    {
        if (await visit.Service<ManifestDetails>().FindAsync(visit.Repository, reference, visit.Aborted) is not { } named) return null;
        IReadOnlyList<string> platforms = [.. named.Children.Where(IsImage).Select(child => child.Platform!).Distinct(StringComparer.Ordinal)];
        return new PickedImage(ImageLinks.Of(visit.Repository, reference), named, named.Document?.Kind == ManifestKind.Index ? null : named, platforms);
    }

    /// <summary>The image for a platform, where this is an index that has one.</summary>
    /// <param name="platform">Null, or one that it has not: what is usual, else its first.</param>
    public async Task<PickedImage> PickAsync(Visit visit, string? platform)
    {
        if (Platforms.Count == 0) return this;
        var wanted = Platforms.Contains(platform ?? "") ? platform : Platforms.Contains(Usual) ? Usual : Platforms[0];
        var child = Named.Children.First(one => IsImage(one) && one.Platform == wanted);
        var image = await visit.Service<ManifestDetails>().FindAsync(visit.Repository, child.Descriptor.Digest, visit.Aborted);
        return this with { Links = Links with { Platform = wanted }, Image = image };
    }

    private static bool IsImage(IndexChild child) =>
        child is { IsThere: true, AttestationOf: null, Platform: not null } && child.Descriptor.MediaType is not (MediaTypes.OciIndex or MediaTypes.DockerManifestList);
}
