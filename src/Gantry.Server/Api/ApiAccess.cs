using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Limits;
using Gantry.Core.Removal;
using Gantry.Core.Webhooks;
using Gantry.Oci;
using Gantry.Server.Auth;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Api;

/// <summary>
/// Lets a request under <c>/api</c> pass, before any byte of its body is read, or says why not. What the caller may not
/// see is told from what is not there by nobody: one text, one status.
/// </summary>
/// <remarks>Every denial of an account is recorded; a listing that shows less is none.</remarks>
internal sealed class ApiAccess(
    ApiLogin logins, AccessPolicy policy, Namespaces namespaces, Accounts accounts, Robots robots, WebhookList webhooks,
    AuditTrail audit, RequestLimits limits, IOptions<RemovalOptions> removal)
{
    /// <exception cref="OciException">TooManyRequests.</exception>
    /// <exception cref="ApiException">401, 403, 404; 400 where the query that decides cannot be read.</exception>
    public async Task<ApiRequest> RequireAsync(HttpContext http, ApiRoute route)
    {
        var login = await logins.TryAsync(http);
        if (login is null && !(route.IsOpen && policy.AllowsAnonymous)) throw ApiLogin.Nobody();
        var request = new ApiRequest(http, login, policy.CallerFor(login));
        if (login is not null)
        {
            limits.CountRequest(request.Account.Name.ToString());
            if (!login.Limit.Api) throw await DeniedAsync(request, route, "the credential's own scopes do not hold api:*");
        }

        await CheckAsync(request, route);
        if (route.GivesPower && !request.Login.Limit.IsEverything)
        {
            throw await DeniedAsync(request, route,
                "what this gives could do more than the credential at hand: it needs one whose scopes are *, or a password");
        }

        return request;
    }

    private Task CheckAsync(ApiRequest request, ApiRoute route) => route.Needs switch
    {
        ApiNeeds.Account or ApiNeeds.Visitor => Task.CompletedTask,
        ApiNeeds.Pull => MayAsync(request, route, RepositoryActions.Pull),
        ApiNeeds.PullBoth => MayPullBothAsync(request, route),
        ApiNeeds.Push => MayAsync(request, route, RepositoryActions.Pull | RepositoryActions.Push),
        ApiNeeds.Removal => MayRemoveAsync(request, route),
        ApiNeeds.Upkeep => KeepsUpAsync(request, route),
        ApiNeeds.NamespaceCreator => AdministratorOrAsync(
            request.Account.CreatesNamespaces, request, route, "this needs an administrator, or an account that creates namespaces"),
        ApiNeeds.Sight => SeesAsync(request, route, request.Route("ns")),
        ApiNeeds.Maintainer => MaintainsAsync(request, route, request.Route("ns")),
        ApiNeeds.Administrator => AdministersAsync(request, route),
        ApiNeeds.Owner => OwnsAsync(request, route),
        ApiNeeds.Keeper => KeepsAsync(request, route),
        ApiNeeds.Explanation => MayBeToldAsync(request, route),
        ApiNeeds.Audit => MayReadEventsAsync(request, route),
        _ => throw new InvalidOperationException($"no rule for {route.Needs}"),
    };

    private async Task MayAsync(ApiRequest request, ApiRoute route, RepositoryActions actions) =>
        request.Repository = await MayAsync(request, route, actions, request.Route("repository").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase));

    // As under /v2: who may not even pull is told what he would be if there were no such repository.
    private async Task<RepositoryName> MayAsync(ApiRequest request, ApiRoute route, RepositoryActions actions, string text)
    {
        if (!RepositoryName.TryParse(text, out var name)) throw request.LoginOrNone is null ? ApiLogin.Nobody() : request.NoRepository(text);
        var decision = await request.Caller.DecideAsync(name, request.Aborted);
        if ((decision.Granted & actions) == actions) return name;
        if (request.LoginOrNone is null) throw ApiLogin.Nobody();

        var detail = $"asked for {Scope.Text(actions)} on {name}; granted is {Scope.Text(decision.Granted)} ({decision.Rule})";
        await RecordAsync(request, route, detail, null, name);
        throw decision.Granted.HasFlag(RepositoryActions.Pull) ? ApiException.Forbidden(detail) : request.NoRepository(text);
    }

    private async Task MayPullBothAsync(ApiRequest request, ApiRoute route)
    {
        await MayAsync(request, route, RepositoryActions.Pull);
        request.OtherRepository = request.Query("withRepository") is { } other
            ? await MayAsync(request, route, RepositoryActions.Pull, other) : request.Repository;
    }

    private async Task MayRemoveAsync(ApiRequest request, ApiRoute route)
    {
        await MayAsync(request, route, RepositoryActions.Pull | RepositoryActions.Delete);
        if (!removal.Value.Enabled) throw new ApiException(StatusCodes.Status405MethodNotAllowed, "this registry does not delete (Removal:Enabled)");
    }

    private async Task KeepsUpAsync(ApiRequest request, ApiRoute route)
    {
        await MayAsync(request, route, RepositoryActions.Pull);
        if (request.LoginOrNone is null) throw ApiLogin.Nobody();
        var home = request.Repository.Namespace;
        if (NamespaceName.TryParse(home, out var name) && await policy.MayManageAsync(request.Account, name, request.Aborted)) return;
        throw await DeniedAsync(request, route, $"this needs a maintainer of {home}, or an administrator");
    }

    private async Task SeesAsync(ApiRequest request, ApiRoute route, string text)
    {
        var reach = policy.ReachOf(request.Account);
        var found = NamespaceName.TryParse(text, out var name) ? await namespaces.FindAsync(reach, name, request.Aborted) : null;
        request.Namespace = found ?? throw await HiddenAsync(request, route, text);
    }

    private async Task MaintainsAsync(ApiRequest request, ApiRoute route, string text)
    {
        await SeesAsync(request, route, text);
        if (request.Account.IsAdministrator) return;
        var role = await policy.RoleAsync(request.Account, request.NamespaceName, request.Aborted);
        if (role?.Role == NamespaceRole.Maintainer) return;
        var has = role is null ? "no role" : $"the role {role.Role.ToString().ToLowerInvariant()}";
        throw await DeniedAsync(request, route,
            $"this needs a maintainer of {text}, or an administrator; {request.Account.Name} has {has} in it");
    }

    private async Task AdministersAsync(ApiRequest request, ApiRoute route)
    {
        await AdministratorOrAsync(false, request, route, "this needs an administrator");
        if (route.Path.Contains("{account}", StringComparison.Ordinal))
            request.Subject = await SubjectAsync(request) ?? throw ApiException.NotFound($"there is no account {request.Route("account")}");
    }

    // Told the same whether the account exists or not, unless an administrator asks.
    private async Task OwnsAsync(ApiRequest request, ApiRoute route)
    {
        var subject = await SubjectAsync(request);
        var isAllowed = request.Account.IsAdministrator || subject?.Id == request.Account.Id
            || (subject is { NamespaceId: not null }
                && await robots.HomeOfAsync(AccountName.Parse(subject.Name), request.Aborted) is { } home
                && await policy.MayManageAsync(request.Account, home, request.Aborted));
        if (!isAllowed)
        {
            throw await DeniedAsync(request, route,
                "this needs the account itself, an administrator, or for a robot a maintainer of its namespace");
        }

        request.Subject = subject ?? throw ApiException.NotFound($"there is no account {request.Route("account")}");
    }

    // Those that others keep are told from none by nobody.
    private async Task KeepsAsync(ApiRequest request, ApiRoute route)
    {
        var webhook = await webhooks.FindAsync(request.RouteId, request.Aborted);
        var isAllowed = request.Account.IsAdministrator || (webhook?.Namespace is { } home
            && await policy.MayManageAsync(request.Account, NamespaceName.Parse(home), request.Aborted));
        if (webhook is not null && isAllowed)
        {
            request.Webhook = webhook;
            return;
        }

        var refusal = ApiException.NotFound($"there is no webhook {request.Route("id")}, or none that {request.Account.Name} keeps");
        if (!request.Account.IsAdministrator) await RecordAsync(request, route, refusal.Message, null);
        throw refusal;
    }

    private async Task MayBeToldAsync(ApiRequest request, ApiRoute route)
    {
        var question = ExplanationQuestion.Of(request);
        if (request.Account.IsAdministrator) return;
        await (question.Account == request.Account.Name
            ? SeesAsync(request, route, question.Repository.Namespace)
            : MaintainsAsync(request, route, question.Repository.Namespace));
    }

    private async Task MayReadEventsAsync(ApiRequest request, ApiRoute route)
    {
        if (request.Account.IsAdministrator) return;
        if (request.Query("namespace") is not { } name)
            throw await DeniedAsync(request, route, "this needs an administrator; maintainers name their namespace: ?namespace=NAME");
        await MaintainsAsync(request, route, name);
    }

    private async Task AdministratorOrAsync(bool orElse, ApiRequest request, ApiRoute route, string otherwise)
    {
        if (!request.Account.IsAdministrator && !orElse) throw await DeniedAsync(request, route, $"{otherwise}; {request.Account.Name} is none");
    }

    private async Task<AccountRow?> SubjectAsync(ApiRequest request)
    {
        var text = request.Route("account");
        var name = request.Account.Name;
        if (text != AccountName.Self && !AccountName.TryParse(text, out name)) return null;
        return await accounts.FindRowAsync(name, request.Aborted);
    }

    private async Task<ApiException> HiddenAsync(ApiRequest request, ApiRoute route, string name)
    {
        var refusal = ApiException.NotFound($"there is no namespace {name}, or none that {request.Account.Name} may see");
        if (!request.Account.IsAdministrator) await RecordAsync(request, route, refusal.Message, name);
        return refusal;
    }

    private async Task<ApiException> DeniedAsync(ApiRequest request, ApiRoute route, string why)
    {
        await RecordAsync(request, route, why, request.Namespace?.Name);
        return ApiException.Forbidden(why);
    }

    private Task RecordAsync(ApiRequest request, ApiRoute route, string why, string? name, RepositoryName? repository = null) => audit.RecordAsync(
        new Event(EventKinds.Denied)
        {
            Namespace = NamespaceName.TryParse(name, out _) ? name : null, Repository = repository, Detail = $"{route.Id}: {why}",
        },
        request.Actor, request.Aborted);
}
