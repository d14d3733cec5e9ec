using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Removal;
using Gantry.Oci;

namespace Gantry.Server.Api;

/// <summary>A repository; its numbers are as of <paramref name="CountedAt"/>.</summary>
/// <param name="Size">All bytes that it holds, deleted ones within their grace too; null: not counted yet.</param>
/// <param name="Own">The part that no other repository holds.</param>
/// <param name="Reclaimable">The part that nothing live needs.</param>
/// <param name="PulledAt">Within some seconds; null: never, as far as anybody counted.</param>
internal sealed record RepositoryReply(
    string Name, Visibility Visibility, long? Size, long? Own, long? Reclaimable, long? Manifests, long? Tags, DateTimeOffset CreatedAt,
    DateTimeOffset? PushedAt, DateTimeOffset? PulledAt, long Pulls, DateTimeOffset? CountedAt)
{
    public static RepositoryReply Of(RepositoryInfo info) => new(
        $"{info.Name}", info.Visibility, info.Size, info.Own, info.Reclaimable, info.Manifests, info.Tags, info.CreatedAt, info.PushedAt,
        info.PulledAt, info.Pulls, info.CountedAt);
}

/// <summary>The bytes of a repository as things stand.</summary>
/// <param name="Size">All that it holds, deleted content within its grace too.</param>
/// <param name="Own">The part that no other repository holds.</param>
/// <param name="Shared">The rest.</param>
/// <param name="Reclaimable">The part that nothing live needs: it goes when its grace is over.</param>
internal sealed record RepositoryUsageReply(long Size, long Own, long Shared, long Reclaimable, long Manifests, long Tags);

/// <summary>What a deletion would free; the bytes go when the grace is over, and until then it can be taken back.</summary>
/// <param name="Manifests">That it hides.</param>
/// <param name="Blobs">That would go.</param>
/// <param name="Tags">That go with it.</param>
/// <param name="AfterSeconds">When a retention rule would do it; null: the deletion itself does.</param>
/// <param name="BelowBytes">More that would go if the images that an index alone holds, which stay, were deleted after it.</param>
/// <param name="BelowManifests">How many these are.</param>
/// <param name="HeldBy">The digest of an index that holds the manifest, for which it cannot be deleted; null: none.</param>
internal sealed record DeletionReply(
    long Bytes, int Manifests, int Blobs, int Tags, long? AfterSeconds, long BelowBytes, int BelowManifests, string? HeldBy)
{
    public static DeletionReply Of(Freed freed) => new(
        freed.Bytes, freed.Manifests, freed.Blobs, freed.Tags, (long?)freed.After?.TotalSeconds, freed.BelowBytes, freed.BelowManifests,
        freed.HeldBy?.ToString());
}

/// <param name="Since">What a restore takes to undo exactly this.</param>
internal sealed record RemovedRepositoryReply(DateTimeOffset Since, int Manifests);

/// <param name="Since">Only what was deleted since then, as the deletion answered; missing: all that can be restored.</param>
internal sealed record RepositoryRestore(DateTimeOffset? Since);

/// <param name="Manifests">That came back.</param>
/// <param name="Tags">That point at them again.</param>
internal sealed record RestoredRepositoryReply(int Manifests, int Tags);

/// <summary>Something that can be restored.</summary>
/// <param name="Kind">manifest, tag or blob.</param>
/// <param name="Name">A digest, or a tag's name.</param>
/// <param name="From">Where a tag pointed; null for the others.</param>
/// <param name="Until">The end of its grace.</param>
internal sealed record DeletedReply(string Kind, string Name, string? From, DateTimeOffset DeletedAt, DateTimeOffset Until)
{
    public static DeletedReply Of(Restorable row) => new(row.Kind, row.Name, row.From, row.DeletedAt, row.Until);
}

internal static class RepositoryEndpoints
{
    public const int LongestWords = 1000;

    /// <summary>Which way a listing goes.</summary>
    internal enum Order
    {
        Asc,
        Desc,
    }

    [EndpointSummary("The repositories that hold something and that one may pull from, searched and sorted")]
    [Query("q", "Words that are all in the name, in whatever case and order, parted by spaces")]
    [Query("namespace", "Of this namespace alone")]
    [Query("sort", "By what; name where it is missing. What was never pulled was so longest ago", Values = ["name", "size", "pushed", "pulled"])]
    [Query("order", "Which way; missing: names from a on, the rest from the largest and newest on", Values = ["asc", "desc"])]
    public static async Task<IResult> ListRepositoriesAsync(ApiRequest request)
    {
        var words = request.Query("q") ?? "";
        if (words.Length > LongestWords) throw ApiException.BadRequest("q", $"has at most {LongestWords} characters");
        var sort = request.QueryWord<RepositorySort>("sort") ?? RepositorySort.Name;
        var order = request.QueryWord<Order>("order") ?? (sort == RepositorySort.Name ? Order.Asc : Order.Desc);
        var home = request.Query<NamespaceName>("namespace", NamespaceName.TryParse, "is not the name of a namespace");
        var limit = request.Limit();
        var listed = await request.Service<RepositoryListing>().PageAsync(
            request.Caller, new RepositoryQuery(words, home, sort, order == Order.Desc), request.Query("after"), limit, request.Aborted);
        return request.Ok(request.Page(listed, limit, RepositoryReply.Of));
    }

    [EndpointSummary("One repository")]
    public static async Task<IResult> GetRepositoryAsync(ApiRequest request) => request.One(RepositoryReply.Of(
        await request.Service<RepositoryListing>().FindAsync(request.Repository, request.Aborted) ?? throw request.NoRepository()));

    [EndpointSummary("Deletes all that a repository holds, as things stand; it can be restored until its grace is over")]
    public static async Task<IResult> DeleteRepositoryAsync(ApiRequest request)
    {
        var removed = await request.Service<RepositoryRemoval>().RemoveAsync(request.Repository, request.Actor, request.Aborted)
            ?? throw request.NoRepository();
        return request.Ok(new RemovedRepositoryReply(removed.Since, removed.Manifests));
    }

    [EndpointSummary("Restores what was deleted in a repository, with the tags whose names are free")]
    public static async Task<IResult> RestoreRepositoryAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var since = body.Time("since");
        body.End();
        var restored = await request.Service<RepositoryRemoval>().RestoreAsync(request.Repository, since, request.Actor, request.Aborted)
            ?? throw request.NoRepository();
        return request.Ok(new RestoredRepositoryReply(restored.Manifests, restored.Tags));
    }

    [EndpointSummary("What deleting the whole repository would free")]
    public static async Task<IResult> PreviewRepositoryDeletionAsync(ApiRequest request) => request.Ok(DeletionReply.Of(
        await request.Service<DeletionPreview>().OfRepositoryAsync(request.Repository, request.Aborted) ?? throw request.NoRepository()));

    [EndpointSummary("What was deleted in a repository and can be restored: manifests, then tags, then blobs")]
    public static async Task<IResult> ListDeletedAsync(ApiRequest request)
    {
        var limit = request.Limit();
        var rows = await request.Service<RestorableContent>().PageAsync(request.Repository, request.Query("after"), limit + 1, request.Aborted)
            ?? throw request.NoRepository();
        return request.Ok(request.Page(rows, limit, DeletedReply.Of, RestorableContent.PlaceOf));
    }

    [EndpointSummary("The bytes of a repository, counted now: its own, shared and reclaimable ones")]
    public static async Task<IResult> GetRepositoryUsageAsync(ApiRequest request)
    {
        var bytes = await request.Service<Usage>().OfRepositoryAsync(request.Repository, request.Aborted) ?? throw request.NoRepository();
        return request.Ok(new RepositoryUsageReply(bytes.Size, bytes.Own, bytes.Shared, bytes.Reclaimable, bytes.Manifests, bytes.Tags));
    }
}
