using Gantry.Core.Access;

namespace Gantry.Server.Api;

/// <summary>Takes actions away from roles in the repositories that match.</summary>
internal sealed record RuleReply(long Id, string Pattern, IReadOnlyList<string> AppliesTo, IReadOnlyList<string> Denied)
{
    public static RuleReply Of(AccessRule rule) =>
        new(rule.Id, rule.Pattern.ToString(), [.. rule.Audience], [.. Scope.Words(rule.Denied)]);
}

/// <param name="Pattern">Names of repositories, whole, with <c>*</c> for any characters: <c>acme/prod-*</c>.</param>
/// <param name="AppliesTo">Of <c>public</c>, <c>reader</c>, <c>writer</c>, <c>maintainer</c>.</param>
/// <param name="Denied">Of <c>pull</c>, <c>push</c>, <c>delete</c>.</param>
internal sealed record NewRule(string Pattern, IReadOnlyList<string> AppliesTo, IReadOnlyList<string> Denied);

internal static class RuleEndpoints
{
    [EndpointSummary("The rules of a namespace, in the order they were added")]
    public static async Task<IResult> ListRulesAsync(ApiRequest request)
    {
        var rules = await request.Service<AccessRules>().ListAsync(request.NamespaceName, request.Aborted) ?? [];
        return request.Ok(request.PageOf(rules, RuleReply.Of, rule => rule.Id));
    }

    [EndpointSummary("Takes actions away from roles in some repositories of a namespace")]
    public static async Task<IResult> AddRuleAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var pattern = body.Parse<RepositoryPattern>("pattern", RepositoryPattern.TryParse,
            "must be at most 255 of a-z, 0-9, '.', '_', '-', '/' and '*'");
        var appliesTo = AccessRule.ParseAudience(body.Texts("appliesTo", 4));
        if (appliesTo == RuleAudience.None) body.Fault("appliesTo", "must be of public, reader, writer, maintainer");
        var words = body.Texts("denied", 3);
        if (words.Any(word => word is not ("pull" or "push" or "delete"))) body.Fault("denied", "must be of pull, push, delete");
        body.End();

        var rule = await request.Service<AccessRules>().AddAsync(
            request.NamespaceName, pattern, appliesTo, Scope.ParseActions(string.Join(',', words)), request.Actor, request.Aborted)
            ?? throw ApiException.NotFound($"the namespace {request.Namespace.Name} is gone");
        return request.Created($"/namespaces/{request.Namespace.Name}/rules/{rule.Id}", RuleReply.Of(rule));
    }

    [EndpointSummary("Removes a rule")]
    public static async Task<IResult> RemoveRuleAsync(ApiRequest request) =>
        await request.Service<AccessRules>().RemoveAsync(request.NamespaceName, request.RouteId, request.Actor, request.Aborted)
            ? ApiRequest.NoContent()
            : throw ApiException.NotFound($"{request.Namespace.Name} has no rule {request.Route("id")}");
}
