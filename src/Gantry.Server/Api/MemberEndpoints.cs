using Gantry.Core.Access;

namespace Gantry.Server.Api;

/// <summary>An account or a group with a role in a namespace.</summary>
/// <param name="Account">Null: it is a group.</param>
/// <param name="Group"><c>provider/group</c>; null: it is an account.</param>
internal sealed record MemberReply(long Id, string? Account, string? Group, NamespaceRole Role, DateTimeOffset CreatedAt);

internal sealed record MemberChange(NamespaceRole Role);

internal static class MemberEndpoints
{
    [EndpointSummary("The members of a namespace, in the order they were added")]
    public static async Task<IResult> ListMembersAsync(ApiRequest request)
    {
        var limit = request.Limit();
        var rows = await request.Service<Members>().PageAsync(
            request.NamespaceName, request.QueryId("after") ?? 0, limit + 1, request.Aborted);
        return request.Ok(request.Page(
            rows, limit, row => new MemberReply(row.Id, row.Account, row.Group, row.Role, row.CreatedAt), row => $"{row.Id}"));
    }

    [EndpointSummary("Gives an account a role in a namespace, or another one")]
    public static Task<IResult> SetMemberAsync(ApiRequest request) => SetAsync(request, AccountOf(request));

    [EndpointSummary("Takes its role in a namespace from an account")]
    public static Task<IResult> RemoveMemberAsync(ApiRequest request) => RemoveAsync(request, AccountOf(request));

    [EndpointSummary("Gives everybody in a group (provider/name) a role in a namespace, or another one")]
    public static Task<IResult> SetGroupAsync(ApiRequest request) => SetAsync(request, GroupOf(request));

    [EndpointSummary("Takes its role in a namespace from a group")]
    public static Task<IResult> RemoveGroupAsync(ApiRequest request) => RemoveAsync(request, GroupOf(request));

    private static async Task<IResult> SetAsync(ApiRequest request, MemberName member)
    {
        var body = await request.BodyAsync();
        var role = body.Word<NamespaceRole>("role", required: true);
        body.End();
        return await request.Service<Members>().SetAsync(request.NamespaceName, member, role!.Value, request.Actor, request.Aborted)
            ? ApiRequest.NoContent()
            : throw ApiException.NotFound($"there is no account {member}");
    }

    private static async Task<IResult> RemoveAsync(ApiRequest request, MemberName member) =>
        await request.Service<Members>().RemoveAsync(request.NamespaceName, member, request.Actor, request.Aborted)
            ? ApiRequest.NoContent()
            : throw ApiException.NotFound($"{member} is no member of {request.Namespace.Name}");

    private static MemberName AccountOf(ApiRequest request) =>
        AccountName.TryParse(request.Route("name"), out var name)
            ? MemberName.Of(name) : throw ApiException.NotFound("that is not the name of an account");

    // Clients that encode a path's parts write the slashes of a group as %2F, which the server leaves as it is.
    private static MemberName GroupOf(ApiRequest request)
    {
        var group = ((string?)request.Http.Request.RouteValues["group"] ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        return MemberName.IsGroup(group)
            ? MemberName.OfGroup(group) : throw ApiException.NotFound("a group is the name of its provider, a slash, and its own name");
    }
}
