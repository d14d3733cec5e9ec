using Gantry.Core.Access;

namespace Gantry.Server.Api;

internal sealed record NamespaceReply(string Name, Visibility Visibility, DateTimeOffset CreatedAt)
{
    public static NamespaceReply Of(NamespaceInfo info) => new(info.Name, info.Visibility, info.CreatedAt);
}

/// <param name="Name">One path component: lowercase letters and digits, with <c>. _ __</c> or <c>-</c> between them.</param>
/// <param name="Visibility">Private where it is missing.</param>
internal sealed record NewNamespace(string Name, Visibility? Visibility);

internal sealed record NamespaceChange(Visibility Visibility);

internal static class NamespaceEndpoints
{
    [EndpointSummary("The namespaces that one may see, by name")]
    [Query("q", "Words that are all in the name, in whatever case and order, parted by spaces")]
    public static async Task<IResult> ListNamespacesAsync(ApiRequest request)
    {
        var (limit, after, words) = (request.Limit(), request.Query("after"), request.Query("q") ?? "");
        if (words.Length > RepositoryEndpoints.LongestWords) throw ApiException.BadRequest("q", $"has at most {RepositoryEndpoints.LongestWords} characters");
        var reach = request.Service<AccessPolicy>().ReachOf(request.Account);
        var rows = await request.Service<Namespaces>().PageAsync(reach, words, after, limit + 1, request.Aborted);
        return request.Ok(request.Page(rows, limit, NamespaceReply.Of, row => row.Name));
    }

    [EndpointSummary("Makes a namespace; who is no administrator becomes its maintainer")]
    public static async Task<IResult> CreateNamespaceAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var name = body.Parse<NamespaceName>("name", NamespaceName.TryParse,
            "must be one path component: lowercase letters and digits, with . _ __ or - between them");
        var visibility = body.Word<Visibility>("visibility") ?? Visibility.Private;
        body.End();

        var namespaces = request.Service<Namespaces>();
        var maintainer = request.Account.IsAdministrator ? null : request.Account;
        if (!await namespaces.CreateAsync(name, visibility, maintainer, request.Actor, request.Aborted))
            throw ApiException.Conflict($"the name {name} is taken");
        return request.Created($"/namespaces/{name}", NamespaceReply.Of((await namespaces.FindAsync(name, request.Aborted))!));
    }

    [EndpointSummary("One namespace")]
    public static Task<IResult> GetNamespaceAsync(ApiRequest request) =>
        Task.FromResult(request.One(NamespaceReply.Of(request.Namespace)));

    [EndpointSummary("Makes a namespace public or private")]
    public static async Task<IResult> ChangeNamespaceAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var visibility = body.Word<Visibility>("visibility", required: true);
        body.End();
        return await request.Service<Namespaces>().SetVisibilityAsync(
            request.NamespaceName, visibility!.Value, request.Actor, request.Aborted, info => request.RequireMatch(NamespaceReply.Of(info)))
            ? request.Changed(NamespaceReply.Of(request.Namespace with { Visibility = visibility.Value }))
            : throw ApiException.NotFound($"the namespace {request.Namespace.Name} is gone");
    }

    [EndpointSummary("Deletes a namespace without repositories, with its members, rules and robots")]
    public static async Task<IResult> DeleteNamespaceAsync(ApiRequest request) =>
        await request.Service<Namespaces>().DeleteAsync(
            request.NamespaceName, request.Actor, request.Aborted, info => request.RequireMatch(NamespaceReply.Of(info))) switch
        {
            false => throw ApiException.Conflict($"{request.Namespace.Name} has repositories: only an empty namespace can be deleted"),
            _ => ApiRequest.NoContent(),
        };
}
