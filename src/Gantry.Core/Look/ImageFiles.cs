using Gantry.Core.Look.Trees;
using Gantry.Oci;

namespace Gantry.Core.Look;

/// <summary>The files of images and layers, a directory at a time.</summary>
public sealed class ImageFiles(LookedImages images)
{
    /// <summary>The largest page; with what <see cref="LookedImages"/>' pages take it bounds the memory of a listing.</summary>
    public const int MaxPage = 1000;

    /// <summary>Names looked at for one page: of a directory most of which was removed they are many more than are shown.</summary>
    private const int MaxSteps = 50_000;

    /// <summary>What an image has in a directory. Links are not followed on the way: the path is the one that listings showed.</summary>
    /// <param name="repository">Whose reader asks.</param>
    /// <param name="image">A tag or digest of an image, not of an index.</param>
    /// <param name="directory">Where.</param>
    /// <param name="after">Only what comes after this path; null: from the start.</param>
    /// <param name="limit">How many, at most <see cref="MaxPage"/>.</param>
    /// <param name="withRemoved">Also what layers below have and those above took away.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null where the repository has no such manifest. A value of null where the image has no such directory.</returns>
    public async Task<Looked<DirectoryListing>?> ListAsync(RepositoryName repository, Reference image, ImagePath directory, ImagePath? after, int limit,
        bool withRemoved, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        if (await images.OpenAsync(repository, image, cancellationToken) is not { } opened) return null;
        return opened.Answer(opened.IsReady ? await ListAsync(opened, directory, after, limit, withRemoved, cancellationToken) : null);
    }

    /// <summary>What one layer says of a directory, its whiteouts shown as what they are.</summary>
    /// <param name="repository">Whose reader asks.</param>
    /// <param name="layer">The digest of its blob.</param>
    /// <param name="directory">Where.</param>
    /// <param name="after">Only what comes after this path; null: from the start.</param>
    /// <param name="limit">How many, at most <see cref="MaxPage"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null where the repository has no such blob. A value of null where the layer has no such directory.</returns>
    public async Task<Looked<DirectoryListing>?> ListLayerAsync(RepositoryName repository, Digest layer, ImagePath directory, ImagePath? after, int limit,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        if (await images.OpenLayerAsync(repository, layer, cancellationToken) is not { } opened) return null;
        return opened.Answer(opened.IsReady ? await ListAloneAsync(opened, directory, after, limit, cancellationToken) : null);
    }

    /// <summary>One thing in an image, as its directory's listing shows it.</summary>
    public async Task<Looked<ImageFile>?> FindAsync(RepositoryName repository, Reference image, ImagePath path, CancellationToken cancellationToken)
    {
        if (await images.OpenAsync(repository, image, cancellationToken) is not { } opened) return null;
        if (!opened.IsReady || opened.Layers.Count == 0) return opened.Answer<ImageFile>(null);
        var tree = new MergedTree(images.Pages(opened), opened.Layers.Count, withHidden: true);
        var found = await tree.FindAsync(path, cancellationToken);
        return opened.Answer(found is null or { IsRemoved: true } ? null : await ShowAsync(tree, found, opened, cancellationToken));
    }

    /// <summary>One thing in a layer, as the layer's own listing shows it.</summary>
    /// <returns>As of <see cref="ListLayerAsync"/>.</returns>
    public async Task<Looked<ImageFile>?> FindInLayerAsync(RepositoryName repository, Digest layer, ImagePath path, CancellationToken cancellationToken)
    {
        if (await images.OpenLayerAsync(repository, layer, cancellationToken) is not { } opened) return null;
        if (!opened.IsReady) return opened.Answer<ImageFile>(null);
        var entry = await images.Pages(opened).FindAsync(0, Listings.EntryKey.Of(path), cancellationToken);
        return opened.Answer(entry is null ? null : Alone(path, entry, opened));
    }

    private async Task<DirectoryListing?> ListAsync(LookedImage image, ImagePath path, ImagePath? after, int limit, bool withRemoved, CancellationToken cancellationToken)
    {
        if (image.Layers.Count == 0) return null;
        var tree = new MergedTree(images.Pages(image), image.Layers.Count, withHidden: true);
        if (await tree.FindAsync(path, cancellationToken) is not { Parts: { } parts } directory || (directory.IsRemoved && !withRemoved)) return null;
        var shown = await ShowAsync(tree, directory, image, cancellationToken);
        var (files, steps, last) = (new List<ImageFile>(), 0, default(ImagePath));
        await foreach (var (name, entry) in tree.ListAsync(directory, NameAfter(after), parts, cancellationToken))
        {
            if (files.Count == limit || ++steps > MaxSteps) return new DirectoryListing(shown, files, last);
            if (entry is not null && (withRemoved || !entry.IsRemoved)) files.Add(await ShowAsync(tree, entry, image, cancellationToken));
            last = name;
        }

        return new DirectoryListing(shown, files, null);
    }

    private async Task<DirectoryListing?> ListAloneAsync(LookedImage layer, ImagePath path, ImagePath? after, int limit, CancellationToken cancellationToken)
    {
        var pages = images.Pages(layer);
        if (await pages.FindAsync(0, Listings.EntryKey.Of(path), cancellationToken) is not { Kind: EntryKind.Directory } entry) return null;
        var directory = Alone(path, entry, layer);
        var prefix = Listings.EntryKey.Of(path.Bytes, []);
        var files = new List<ImageFile>();
        await foreach (var next in pages.FromAsync(0, [.. prefix, .. NameAfter(after)], cancellationToken))
        {
            if (!next.Key.AsSpan().StartsWith(prefix)) break;
            if (files.Count == limit) return new DirectoryListing(directory, files, files[^1].Path);
            files.Add(Alone(path.Below(next.Name), next, layer));
        }

        return new DirectoryListing(directory, files, null);
    }

    private static ImageFile Alone(ImagePath path, Listings.LayerEntry entry, LookedImage layer) =>
        ImageFile.Of(new MergedEntry(path, 0, entry, null, [], null), entry, layer.Layers);

    private static async Task<ImageFile> ShowAsync(MergedTree tree, MergedEntry entry, LookedImage image, CancellationToken cancellationToken) =>
        ImageFile.Of(entry, (await tree.FollowAsync(entry, cancellationToken) ?? entry).Entry, image.Layers);

    /// <summary>Nothing lies between a name and the same with NUL behind it.</summary>
    private static byte[] NameAfter(ImagePath? after) => after is { } path ? [.. path.Name, 0] : [];
}
