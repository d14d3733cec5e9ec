using Gantry.Core.Access;
using Gantry.Oci;

namespace Gantry.Server.Api;

/// <summary>What the query of <c>/explain</c> asks.</summary>
internal sealed record ExplanationQuestion(AccountName Account, RepositoryActions Action, RepositoryName Repository)
{
    public static ExplanationQuestion Of(ApiRequest request) => new(
        request.Query("account") is null or AccountName.Self ? request.Account.Name
            : request.Query<AccountName>("account", AccountName.TryParse, "is not the name of an account")!.Value,
        request.Query<RepositoryActions>("action", TryParseAction, "must be pull, push or delete")
            ?? throw ApiException.BadRequest("action", "is missing: pull, push or delete"),
        request.Query<RepositoryName>("repository", RepositoryName.TryParse, "is not the name of a repository")
            ?? throw ApiException.BadRequest("repository", "is missing"));

    private static bool TryParseAction(string text, out RepositoryActions action)
    {
        action = text is "pull" or "push" or "delete" ? Scope.ParseActions(text) : RepositoryActions.None;
        return action != RepositoryActions.None;
    }
}

/// <summary>Whether an account may do something, and why.</summary>
/// <param name="Path">The whole way of the decision, a sentence each.</param>
internal sealed record ExplanationReply(
    string Account, string Action, string Repository, bool Allowed, string Granted, IReadOnlyList<string> Path);

internal static class ExplanationEndpoints
{
    [EndpointSummary("Why an account may or may not do something: for administrators, the namespace's maintainers, and about oneself where one sees the namespace")]
    [Query("account", "Whose access; missing, or self: one's own")]
    [Query("action", "What is asked", Required = true, Values = ["pull", "push", "delete"])]
    [Query("repository", "Where, by its whole name, whether it exists or not", Required = true)]
    public static async Task<IResult> ExplainAsync(ApiRequest request)
    {
        var question = ExplanationQuestion.Of(request);
        var why = await request.Service<AccessExplanation>().ExplainAsync(
            question.Account, question.Action, question.Repository, request.Aborted);
        return request.Ok(new ExplanationReply(why.Account, why.Asked, why.Repository, why.IsAllowed, why.Granted, why.Steps));
    }
}
