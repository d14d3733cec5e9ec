using System.Globalization;
using Gantry.Core.Look;

namespace Gantry.Server.Api;

/// <summary>A layer, and how far it is known what is in it.</summary>
/// <param name="Size">As it is stored.</param>
/// <param name="Reason">Why it failed; null otherwise.</param>
/// <param name="DiffId">Of its bytes, decompressed; null unless ready.</param>
/// <param name="Entries">Names in it; null unless ready.</param>
/// <param name="Bytes">Once decompressed; null unless ready.</param>
internal sealed record LayerReply(string Digest, long Size, LookState State, string? Reason, string? DiffId, long? Entries, long? Bytes)
{
    public static LayerReply Of(LookedLayer layer) => new(
        $"{layer.Digest}", layer.Size, layer.State, layer.Reason, layer.DiffId?.ToString(), layer.Entries, layer.Bytes);
}

/// <summary>
/// How far what was asked for is known. Where <paramref name="State"/> is waiting or reading the rest is null, the layers are read first
/// now, and the same request gets it a little later.
/// </summary>
/// <param name="WhyNot">Why nobody can ever look into it: an index, an artifact; null otherwise.</param>
/// <param name="Layers">The lowest first.</param>
internal sealed record LookReply(LookState State, string? WhyNot, IReadOnlyList<LayerReply> Layers)
{
    public static LookReply Of<T>(Looked<T> looked)
        where T : class => new(looked.State, looked.WhyNot, [.. looked.Layers.Select(LayerReply.Of)]);
}

/// <summary>What a layer has and another one hides.</summary>
/// <param name="Layer">Who has it, by its place from 0.</param>
/// <param name="By">The layer that hides it.</param>
internal sealed record HiddenFileReply(int Layer, string LayerDigest, EntryKind Kind, long? Size, int By);

/// <summary>Something in an image or a layer.</summary>
/// <param name="Path">As text that can be read back: what is no UTF-8, or cannot be seen, as <c>\xNN</c>, a backslash as two.</param>
/// <param name="Mode">Permission bits, in octal.</param>
/// <param name="Size">Of a file; null for anything else.</param>
/// <param name="Target">Of a symbolic link; null for anything else.</param>
/// <param name="HardLink">Of a hard link the path that it names; null for anything else.</param>
/// <param name="Device">Of a device <c>major:minor</c>; null for anything else.</param>
/// <param name="IsOpaque">A directory in which nothing of the layers below is seen.</param>
/// <param name="Layer">The layer that put it there, by its place from 0.</param>
/// <param name="Hidden">What the layers below have at this path, from the top down.</param>
/// <param name="RemovedBy">The layer that removed it; null: it is there.</param>
internal sealed record FileReply(
    string Path, EntryKind Kind, string Mode, long Uid, long Gid, long? Size, DateTimeOffset? ModifiedAt, string? Target, string? HardLink,
    string? Device, bool IsOpaque, int Layer, string LayerDigest, IReadOnlyList<HiddenFileReply> Hidden, int? RemovedBy)
{
    public static FileReply Of(ImageFile file) => new(
        $"{file.Path}", file.Kind, Convert.ToString(file.Mode, 8).PadLeft(4, '0'), file.Uid, file.Gid, file.Size, file.Modified, file.Target,
        file.HardLink, file.Device is { } device ? string.Create(CultureInfo.InvariantCulture, $"{device.Major}:{device.Minor}") : null, file.IsOpaque,
        file.Layer, $"{file.LayerDigest}",
        [.. file.Hidden.Select(hidden => new HiddenFileReply(hidden.Layer, $"{hidden.LayerDigest}", hidden.Kind, hidden.Size, hidden.By))], file.RemovedBy);
}

/// <param name="Directory">The directory itself; null unless ready.</param>
/// <param name="Items">What is in it; may be fewer than asked for, or none, where more follow.</param>
/// <param name="Next">The path of the next page; null: this is the last.</param>
internal sealed record FilesReply(LookReply Look, FileReply? Directory, IReadOnlyList<FileReply> Items, string? Next) : IPaged;

/// <param name="File">Null unless ready.</param>
internal sealed record FileOfImageReply(LookReply Look, FileReply? File);

/// <summary>The start of a file, at most 512 KiB.</summary>
/// <param name="File">What it is, where the path's links lead; null unless ready.</param>
/// <param name="Kind">What its bytes seem to be; null where there are none to be shown.</param>
/// <param name="Text">Empty for what is binary.</param>
/// <param name="IsCut">The file goes on.</param>
/// <param name="WhyNot">Why there is no content: a device, a directory, a sparse file; null otherwise.</param>
internal sealed record FileTextReply(LookReply Look, FileReply? File, TextKind? Kind, string Text, bool IsCut, string? WhyNot);

/// <summary>A package, as the list of its manager says.</summary>
/// <param name="Manager">dpkg, apk or rpm.</param>
/// <param name="Architecture">Null where the list does not say.</param>
internal sealed record PackageReply(string Manager, string Name, string Version, string? Architecture)
{
    public static PackageReply Of(ImagePackage package) => new(package.Manager, package.Name, package.Version, package.Architecture);
}

/// <param name="Items">By manager, name, architecture and version; null unless ready.</param>
/// <param name="Faults">Lists that could not be read, or not to their ends.</param>
/// <param name="Next">The path of the next page; null: this is the last.</param>
internal sealed record PackagesReply(LookReply Look, IReadOnlyList<PackageReply>? Items, IReadOnlyList<string>? Faults, string? Next) : IPaged;

internal static class FileEndpoints
{
    private const string Where = "Where; missing: the root. As a listing shows it", After = "The path after which to go on; next has it";

    [EndpointSummary("What an image has in a directory, which layer put it there, and what it hides")]
    [Query("path", Where)]
    [Query("removed", "True: also what layers below have and those above took away", Values = ["true", "false"])]
    public static async Task<IResult> ListFilesAsync(ApiRequest request)
    {
        var (limit, path, after) = (request.Limit(), PathOf(request, "path") ?? default, PathOf(request, "after"));
        var looked = await request.Service<ImageFiles>().ListAsync(
            request.Repository, request.Reference, path, after, limit, request.QueryFlag("removed"), request.Aborted) ?? throw request.NoManifest();
        return Answer(request, looked, limit, $"the image has no directory {path}");
    }

    [EndpointSummary("What one layer says of a directory; what it removes of the layers below is of the kind removal")]
    [Query("path", Where)]
    public static async Task<IResult> ListLayerFilesAsync(ApiRequest request)
    {
        var (limit, path, after) = (request.Limit(), PathOf(request, "path") ?? default, PathOf(request, "after"));
        var looked = await request.Service<ImageFiles>().ListLayerAsync(request.Repository, request.Digest, path, after, limit, request.Aborted)
            ?? throw ApiException.NotFound($"{request.Repository} has no layer {request.Digest}");
        return Answer(request, looked, limit, $"the layer has no directory {path}");
    }

    [EndpointSummary("One file of an image: which layer put it there, and what it hides")]
    [Query("path", Where, Required = true)]
    public static async Task<IResult> GetFileAsync(ApiRequest request)
    {
        var path = RequiredPath(request);
        var looked = await request.Service<ImageFiles>().FindAsync(request.Repository, request.Reference, path, request.Aborted)
            ?? throw request.NoManifest();
        RequireThere(looked, $"the image has nothing at {path}");
        return request.Ok(new FileOfImageReply(LookReply.Of(looked), looked.Value is { } file ? FileReply.Of(file) : null));
    }

    [EndpointSummary("The start of a file of an image, as text; links are followed within the image")]
    [Query("path", Where, Required = true)]
    public static async Task<IResult> GetFileTextAsync(ApiRequest request)
    {
        var path = RequiredPath(request);
        try
        {
            var looked = await request.Service<FileTexts>().ReadAsync(request.Repository, request.Reference, path, request.Aborted)
                ?? throw request.NoManifest();
            RequireThere(looked, $"the image has nothing at {path}");
            return request.Ok(looked.Value is { } text
                ? new FileTextReply(LookReply.Of(looked), FileReply.Of(text.File), text.Kind, text.Text, text.IsCut, text.WhyNot)
                : new FileTextReply(LookReply.Of(looked), null, null, "", false, null));
        }
        catch (TimeoutException late)
        {
            request.Http.Response.Headers.RetryAfter = "10";
            throw new ApiException(StatusCodes.Status503ServiceUnavailable, late.Message);
        }
    }

    [EndpointSummary("The packages that an image's own lists of dpkg, apk and rpm name; a tag that moves meanwhile is followed by no page")]
    public static async Task<IResult> ListPackagesAsync(ApiRequest request)
    {
        var (limit, after) = (request.Limit(), request.Query<ImagePackagePlace>("after", ImagePackagePlace.TryParse, "is no place in this listing"));
        if (after is { } place && request.Reference.Digest is { } asked && asked != place.Image) throw ApiException.BadRequest("after", "is a place in another image");
        var image = new ImageName(request.Repository, after?.Image ?? request.Reference);
        var looked = await request.Service<ImagePackages>().PageAsync(image, after?.Last, limit, request.Aborted) ?? throw request.NoManifest();
        if (looked.Value is not { } page) return request.Ok(new PackagesReply(LookReply.Of(looked), null, null, null));
        var next = page.IsLast ? null : new ImagePackagePlace(page.Image, page.Packages[^1]).ToString();
        return request.Ok(new PackagesReply(LookReply.Of(looked), [.. page.Packages.Select(PackageReply.Of)], page.Faults, request.NextOrNone(limit, next)));
    }

    internal static ImagePath? PathOf(ApiRequest request, string name) => request.Query<ImagePath>(name, ImagePath.TryParse, "is no path of an image");

    private static ImagePath RequiredPath(ApiRequest request) => PathOf(request, "path") ?? throw ApiException.BadRequest("path", "is missing");

    private static IResult Answer(ApiRequest request, Looked<DirectoryListing> looked, int limit, string otherwise)
    {
        RequireThere(looked, otherwise);
        return request.Ok(looked.Value is { } listing
            ? new FilesReply(LookReply.Of(looked), FileReply.Of(listing.Directory), [.. listing.Files.Select(FileReply.Of)],
                request.NextOrNone(limit, listing.Next?.ToString()))
            : new FilesReply(LookReply.Of(looked), null, [], null));
    }

    private static void RequireThere<T>(Looked<T> looked, string otherwise)
        where T : class
    {
        if (looked is { State: LookState.Ready, Value: null }) throw ApiException.NotFound(otherwise);
    }
}
