using Gantry.Core.Access;

namespace Gantry.Server.Api;

/// <summary>Who the caller is, and what it may.</summary>
/// <param name="Groups">As its provider of logins named them, <c>provider/group</c>; at most 1,000.</param>
/// <param name="Roles">A page of them, one a namespace.</param>
internal sealed record MeReply(
    string Account, AccountKind Kind, bool IsAdministrator, bool CreatesNamespaces, LoginReply Login,
    IReadOnlyList<string> Groups, Page<OwnRoleReply> Roles) : IPaged;

/// <summary>How the caller logged in.</summary>
/// <param name="Scopes">The most that this login may do, whatever the account may; <c>*</c>: everything.</param>
/// <param name="ExpiresAt">When the credential ends; null: it does not end by itself.</param>
internal sealed record LoginReply(LoginMethod Method, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt);

/// <summary>The caller's strongest role in a namespace.</summary>
/// <param name="Group">The group it comes through; null: the account's own.</param>
internal sealed record OwnRoleReply(string Namespace, NamespaceRole Role, string? Group);

internal static class MeEndpoints
{
    [EndpointSummary("Who one is, how one logged in, and one's roles, a page of them")]
    public static async Task<IResult> GetMeAsync(ApiRequest request)
    {
        var (account, login, own, limit) = (request.Account, request.Login, request.Service<OwnRoles>(), request.Limit());
        var roles = request.Page(
            await own.PageAsync(account.Id, request.Query("after"), limit + 1, request.Aborted), limit,
            role => new OwnRoleReply(role.Namespace, role.Role, role.Group), role => role.Namespace);
        return request.Ok(new MeReply(
            account.Name.ToString(), account.Kind, account.IsAdministrator, account.CreatesNamespaces,
            new LoginReply(login.Method, login.Limit.Scopes, login.Expires),
            await own.GroupsAsync(account.Id, request.Aborted), roles));
    }
}
