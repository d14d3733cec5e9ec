using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;

namespace Gantry.Server.Api;

/// <param name="Subject">Whom or what a change was about.</param>
/// <param name="Account">Who did it; null: nobody in particular, or somebody at the console.</param>
/// <param name="Client">The program, as its User-Agent says.</param>
internal sealed record EventReply(
    long Id, DateTimeOffset At, string Kind, string? Namespace, string? Repository, string? Digest, string? Tag, string? Subject,
    string? Detail, string? Account, string? Address, string? Client, string? RequestId)
{
    public static EventReply Of(EventRow row) => new(
        row.Id, row.At, row.Kind, row.Namespace, row.Repository, row.Digest, row.Tag, row.Subject, row.Detail, row.Account,
        row.Address, row.Client, row.RequestId);
}

internal static class AuditEndpoints
{
    [EndpointSummary("The audit trail, newest first: for administrators, and of a namespace for its maintainers")]
    [Query("account", "Who did it, or to whom it was done")]
    [Query("namespace", "Where; maintainers must name theirs")]
    [Query("repository", "Where, by its whole name")]
    [Query("kind", "What happened: login, denied, push, member.set …")]
    [Query("from", $"The first day, in UTC; {ApiRequest.DateForm}")]
    [Query("until", $"The last day, in UTC; {ApiRequest.DateForm}")]
    public static async Task<IResult> ListEventsAsync(ApiRequest request)
    {
        var filter = new AuditFilter
        {
            Account = request.Query<AccountName>("account", AccountName.TryParse, "is not the name of an account")?.ToString(),
            Namespace = request.Query<NamespaceName>("namespace", NamespaceName.TryParse, "is not the name of a namespace")?.ToString(),
            Repository = request.Query<RepositoryName>("repository", RepositoryName.TryParse, "is not the name of a repository")?.ToString(),
            Kind = request.Query("kind"),
            From = request.QueryDay("from")?.Begin,
            Until = request.QueryDay("until")?.End,
        };
        var (limit, before) = (request.Limit(), request.QueryId("before"));
        var rows = await request.Service<AuditListing>().PageAsync(filter, before, limit + 1, request.Aborted);
        return request.Ok(request.Page(rows, limit, EventReply.Of, row => $"{row.Id}", "before"));
    }
}
