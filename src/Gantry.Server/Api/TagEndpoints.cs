using Gantry.Core.Browse;
using Gantry.Core.Push;
using Gantry.Core.Removal;
using Gantry.Oci;

namespace Gantry.Server.Api;

/// <summary>A tag and what it names.</summary>
/// <param name="Size">Of the manifest and all that it holds, each digest once; null where it is not known yet.</param>
/// <param name="Platforms"><c>os/architecture[/variant]</c>.</param>
/// <param name="ImageCreatedAt">As the image says; null where it does not.</param>
/// <param name="PushedAt">When it was made, or moved here.</param>
/// <param name="PulledAt">Within some seconds; null: never, as far as anybody counted.</param>
internal sealed record TagReply(
    string Name, string Digest, string MediaType, string? ArtifactType, long? Size, IReadOnlyList<string> Platforms, DateTimeOffset? ImageCreatedAt,
    DateTimeOffset CreatedAt, DateTimeOffset PushedAt, DateTimeOffset? PulledAt, long Pulls)
{
    public static TagReply Of(TagInfo tag) => new(
        $"{tag.Name}", $"{tag.Digest}", tag.MediaType, tag.ArtifactType, tag.Size, tag.Platforms, tag.ImageCreated, tag.CreatedAt, tag.PushedAt,
        tag.PulledAt, tag.Pulls);
}

/// <summary>What a tag's ETag is of: pulls run on, and do not change what is deleted.</summary>
internal sealed record TagPoint(string Digest, DateTimeOffset Since);

/// <summary>A move of a tag.</summary>
/// <param name="Id">Later moves have larger ones.</param>
/// <param name="Account">Who did it; null: nobody in particular.</param>
/// <param name="From">The digest where it pointed before; null: nowhere.</param>
/// <param name="To">Null: it was deleted.</param>
/// <param name="IsThere">Whether the tag points there now.</param>
/// <param name="CanRestore">The manifest is still there, deleted or not, so that the tag could be put there again.</param>
/// <param name="Until">Where the manifest is deleted: when its grace is over.</param>
internal sealed record TagMoveReply(
    long Id, DateTimeOffset At, string? Account, string? From, string? To, bool IsThere, bool CanRestore, DateTimeOffset? Until)
{
    public static TagMoveReply Of(TagMove move) => new(
        move.Id, move.At, move.Account, move.From?.ToString(), move.To?.ToString(), move.IsThere, move.CanRestore, move.Until);
}

/// <param name="Digest">Where the tag shall point, deleted or not; missing: where its last deletion took it from.</param>
internal sealed record TagRestore(string? Digest);

/// <summary>What came back.</summary>
/// <param name="Manifests">Digests of those that were deleted, and of those that they need.</param>
/// <param name="Blobs">Digests of those that were deleted.</param>
/// <param name="Tags">That point there again.</param>
internal sealed record RestoredReply(IReadOnlyList<string> Manifests, IReadOnlyList<string> Blobs, IReadOnlyList<string> Tags)
{
    public static RestoredReply Of(Restored restored) => new(
        [.. restored.Manifests.Select(digest => $"{digest}")], [.. restored.Blobs.Select(digest => $"{digest}")], [.. restored.Tags.Select(tag => $"{tag}")]);
}

internal static class TagEndpoints
{
    private const int LongestFilter = 128;

    [EndpointSummary("A repository's tags with what they name, filtered and sorted")]
    [Query("filter", "Part of the name, in whatever case. A page of a filtered listing may be short, or empty, and say where the next one begins")]
    [Query("sort", "By what; name where it is missing", Values = ["name", "pushed", "pulled", "size"])]
    [Query("order", "Which way; missing: names from a on, times from the newest on, sizes from the largest on", Values = ["asc", "desc"])]
    public static async Task<IResult> ListTagsAsync(ApiRequest request)
    {
        var filter = request.Query("filter") ?? "";
        if (filter.Length > LongestFilter) throw ApiException.BadRequest("filter", $"has at most {LongestFilter} characters");
        var sort = request.QueryWord<TagSort>("sort") ?? TagSort.Name;
        var order = request.QueryWord<RepositoryEndpoints.Order>("order")
            ?? (sort == TagSort.Name ? RepositoryEndpoints.Order.Asc : RepositoryEndpoints.Order.Desc);
        var limit = request.Limit();
        var listed = await request.Service<TagListing>().PageAsync(
            request.Repository, new TagQuery(sort, order == RepositoryEndpoints.Order.Desc, filter), request.Query("after"), limit, request.Aborted)
            ?? throw request.NoRepository();
        return request.Ok(request.Page(listed, limit, TagReply.Of));
    }

    [EndpointSummary("One tag; its ETag is of where it points, since when")]
    public static async Task<IResult> GetTagAsync(ApiRequest request)
    {
        var tag = await request.Service<TagListing>().FindAsync(request.Repository, request.Tag, request.Aborted) ?? throw request.NoTag();
        return request.Counted(TagReply.Of(tag), new TagPoint($"{tag.Digest}", tag.PushedAt));
    }

    [EndpointSummary("Deletes a tag alone; what it names stays")]
    public static async Task<IResult> DeleteTagAsync(ApiRequest request) =>
        await request.Service<ContentRemoval>().RemoveTagAsync(request.Repository, request.Tag, request.Actor, request.Aborted,
            place => request.RequireMatch(new TagPoint($"{place.Digest}", place.Since)))
            ? ApiRequest.NoContent() : throw request.NoTag();

    [EndpointSummary("What deleting a tag would free")]
    public static async Task<IResult> PreviewTagDeletionAsync(ApiRequest request) => request.Ok(DeletionReply.Of(
        await request.Service<DeletionPreview>().OfTagAsync(request.Repository, request.Tag, request.Aborted) ?? throw request.NoTag()));

    [EndpointSummary("Who moved a tag from what to what, newest first; the tag may be gone")]
    public static async Task<IResult> ListTagHistoryAsync(ApiRequest request)
    {
        var (limit, before) = (request.Limit(), request.QueryId("before"));
        var moves = await request.Service<TagHistory>().PageAsync(request.Repository, request.Tag, before, limit + 1, request.Aborted)
            ?? throw request.NoRepository();
        return request.Ok(request.Page(moves, limit, TagMoveReply.Of, move => $"{move.Id}", "before"));
    }

    [EndpointSummary("Points a tag where it pointed before, and restores the manifest there; without a digest it undoes the tag's deletion")]
    public static async Task<IResult> RestoreTagAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var digest = body.ParseAny<Digest>("digest", Digest.TryParse, ApiRequest.DigestFault);
        body.End();
        if (digest is null)
        {
            return request.Ok(RestoredReply.Of(
                await request.Service<ContentRestore>().RestoreTagAsync(request.Repository, request.Tag, request.Actor, request.Aborted)
                ?? throw ApiException.NotFound($"{request.Repository} has no tag {request.Tag} that was deleted and can be restored")));
        }

        return await request.Service<TagReturn>().ReturnAsync(request.Repository, request.Tag, digest.Value, request.Actor, request.Aborted)
            ? request.Ok(new RestoredReply([$"{digest}"], [], [$"{request.Tag}"]))
            : throw ApiException.NotFound($"{request.Repository} has no manifest {digest}, or none any more");
    }
}
