using static Gantry.Server.Api.AccessTokenEndpoints;
using static Gantry.Server.Api.AccountEndpoints;
using static Gantry.Server.Api.ApiNeeds;
using static Gantry.Server.Api.ApiRoute;
using static Gantry.Server.Api.AuditEndpoints;
using static Gantry.Server.Api.ExplanationEndpoints;
using static Gantry.Server.Api.MeEndpoints;
using static Gantry.Server.Api.MemberEndpoints;
using static Gantry.Server.Api.NamespaceEndpoints;
using static Gantry.Server.Api.RobotEndpoints;
using static Gantry.Server.Api.RuleEndpoints;
using static Gantry.Server.Api.TrustEndpoints;
using static Gantry.Server.Api.WebhookDeliveryEndpoints;
using static Gantry.Server.Api.WebhookEndpoints;

namespace Gantry.Server.Api;

/// <summary>
/// The whole of <c>/api/v1</c>. Access is declared here and nowhere else. HEAD is answered by the handler of GET, which sends
/// no body then; the description at <c>/swagger</c> is made of this table.
/// </summary>
internal static class ApiRoutes
{
    public static readonly ApiRoute[] Table =
    [
        Get<MeReply>("/me", Account, GetMeAsync),

        Get<Page<NamespaceReply>>("/namespaces", Account, ListNamespacesAsync),
        Post<NewNamespace, NamespaceReply>("/namespaces", NamespaceCreator, CreateNamespaceAsync),
        Get<NamespaceReply>("/namespaces/{ns}", Sight, GetNamespaceAsync),
        Patch<NamespaceChange, NamespaceReply>("/namespaces/{ns}", Maintainer, ChangeNamespaceAsync),
        Delete("/namespaces/{ns}", Maintainer, DeleteNamespaceAsync),

        Get<Page<MemberReply>>("/namespaces/{ns}/members", Maintainer, ListMembersAsync),
        Put<MemberChange>("/namespaces/{ns}/members/accounts/{name}", Maintainer, SetMemberAsync),
        Delete("/namespaces/{ns}/members/accounts/{name}", Maintainer, RemoveMemberAsync),
        Put<MemberChange>("/namespaces/{ns}/members/groups/{**group}", Maintainer, SetGroupAsync),
        Delete("/namespaces/{ns}/members/groups/{**group}", Maintainer, RemoveGroupAsync),

        Get<Page<RuleReply>>("/namespaces/{ns}/rules", Maintainer, ListRulesAsync),
        Post<NewRule, RuleReply>("/namespaces/{ns}/rules", Maintainer, AddRuleAsync),
        Delete("/namespaces/{ns}/rules/{id}", Maintainer, RemoveRuleAsync),

        Get<Page<AccountReply>>("/namespaces/{ns}/robots", Maintainer, ListRobotsAsync),
        Post<NewRobot, AccountReply>("/namespaces/{ns}/robots", Maintainer, CreateRobotAsync),
        Patch<RobotChange, AccountReply>("/namespaces/{ns}/robots/{robot}", Maintainer, ChangeRobotAsync),
        Delete("/namespaces/{ns}/robots/{robot}", Maintainer, DeleteRobotAsync),

        Get<Page<TrustReply>>("/namespaces/{ns}/trusts", Maintainer, ListTrustsAsync),
        Post<NewTrust, TrustReply>("/namespaces/{ns}/trusts", Maintainer, AddTrustAsync) with { GivesPower = true },
        Delete("/namespaces/{ns}/trusts/{id}", Maintainer, RemoveTrustAsync),

        Get<Page<AccountReply>>("/accounts", Administrator, ListAccountsAsync),
        Post<NewAccount, AccountReply>("/accounts", Administrator, CreateAccountAsync) with { GivesPower = true },
        Get<AccountReply>("/accounts/{account}", Administrator, GetAccountAsync),
        Patch<AccountChange, AccountReply>("/accounts/{account}", Administrator, ChangeAccountAsync) with { GivesPower = true },
        Delete("/accounts/{account}", Administrator, DeleteAccountAsync),
        Put<NewPassword>("/accounts/{account}/password", Owner, SetPasswordAsync) with { GivesPower = true, Answer = typeof(GeneratedPassword) },

        Get<Page<AccessTokenReply>>("/accounts/{account}/tokens", Owner, ListTokensAsync),
        Post<NewAccessToken, MadeAccessToken>("/accounts/{account}/tokens", Owner, CreateTokenAsync) with { GivesPower = true },
        Delete("/accounts/{account}/tokens/{id}", Owner, RevokeTokenAsync),

        Get<Page<WebhookReply>>("/webhooks", Administrator, ListWebhooksAsync),
        Post<NewWebhook, MadeWebhookReply>("/webhooks", Administrator, CreateWebhookAsync),
        Get<Page<WebhookReply>>("/namespaces/{ns}/webhooks", Maintainer, ListNamespaceWebhooksAsync),
        Post<NewWebhook, MadeWebhookReply>("/namespaces/{ns}/webhooks", Maintainer, CreateNamespaceWebhookAsync),
        Get<WebhookReply>("/webhooks/{id}", Keeper, GetWebhookAsync),
        Patch<WebhookChange, WebhookReply>("/webhooks/{id}", Keeper, ChangeWebhookAsync) with { IsConditional = true },
        Delete("/webhooks/{id}", Keeper, DeleteWebhookAsync) with { IsConditional = true },
        Post<DeliveryReply>("/webhooks/{id}/test", Keeper, TestWebhookAsync),
        Get<Page<DeliveryReply>>("/webhooks/{id}/deliveries", Keeper, ListDeliveriesAsync) with { NewestFirst = true },
        Get<WholeDeliveryReply>("/webhooks/{id}/deliveries/{delivery}", Keeper, GetDeliveryAsync),
        Post<DeliveryReply>("/webhooks/{id}/deliveries/{delivery}/redelivery", Keeper, RedeliverAsync),

        Get<ExplanationReply>("/explain", Explanation, ExplainAsync),
        Get<Page<EventReply>>("/events", Audit, ListEventsAsync) with { NewestFirst = true },
    ];

    public static void MapGantryApi(this IEndpointRouteBuilder endpoints)
    {
        foreach (var route in Table)
        {
            string[] methods = route.Method == "GET" ? ["GET", "HEAD"] : [route.Method];
            endpoints.MapMethods(ApiRequest.Root + route.Path, methods, http => AnswerAsync(http, route)).WithName(route.Id);
        }
    }

    private static async Task AnswerAsync(HttpContext http, ApiRoute route)
    {
        var request = await http.RequestServices.GetRequiredService<ApiAccess>().RequireAsync(http, route);
        var answer = await route.Handler(request);
        await answer.ExecuteAsync(http);
    }
}
