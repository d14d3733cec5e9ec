using Gantry.Server.Limits;
using Microsoft.AspNetCore.Http.Features;
using static Gantry.Server.Api.AccessTokenEndpoints;
using static Gantry.Server.Api.AccountEndpoints;
using static Gantry.Server.Api.ApiNeeds;
using static Gantry.Server.Api.ApiRoute;
using static Gantry.Server.Api.AuditEndpoints;
using static Gantry.Server.Api.BlobEndpoints;
using static Gantry.Server.Api.ComparisonEndpoints;
using static Gantry.Server.Api.ExplanationEndpoints;
using static Gantry.Server.Api.FileEndpoints;
using static Gantry.Server.Api.GarbageCollectionEndpoints;
using static Gantry.Server.Api.ManifestEndpoints;
using static Gantry.Server.Api.MeEndpoints;
using static Gantry.Server.Api.MemberEndpoints;
using static Gantry.Server.Api.NamespaceEndpoints;
using static Gantry.Server.Api.ReadmeEndpoints;
using static Gantry.Server.Api.RepositoryEndpoints;
using static Gantry.Server.Api.RobotEndpoints;
using static Gantry.Server.Api.RuleEndpoints;
using static Gantry.Server.Api.StoreEndpoints;
using static Gantry.Server.Api.TagEndpoints;
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
        One<NamespaceReply>("/namespaces/{ns}", Sight, GetNamespaceAsync),
        Patch<NamespaceChange, NamespaceReply>("/namespaces/{ns}", Maintainer, ChangeNamespaceAsync) with { IsConditional = true },
        Delete("/namespaces/{ns}", Maintainer, DeleteNamespaceAsync) with { IsConditional = true },

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
        One<AccountReply>("/namespaces/{ns}/robots/{robot}", Maintainer, GetRobotAsync),
        Patch<RobotChange, AccountReply>("/namespaces/{ns}/robots/{robot}", Maintainer, ChangeRobotAsync) with { IsConditional = true },
        Delete("/namespaces/{ns}/robots/{robot}", Maintainer, DeleteRobotAsync) with { IsConditional = true },

        Get<Page<TrustReply>>("/namespaces/{ns}/trusts", Maintainer, ListTrustsAsync),
        Post<NewTrust, TrustReply>("/namespaces/{ns}/trusts", Maintainer, AddTrustAsync) with { GivesPower = true },
        Delete("/namespaces/{ns}/trusts/{id}", Maintainer, RemoveTrustAsync),

        One<NamespaceUsageReply>("/namespaces/{ns}/usage", Maintainer, GetNamespaceUsageAsync),

        Get<Page<RepositoryReply>>("/repositories", Visitor, ListRepositoriesAsync),
        One<RepositoryReply>("/repositories/{repository}", Pull, GetRepositoryAsync),
        Delete("/repositories/{repository}", Removal, DeleteRepositoryAsync) with { Answer = typeof(RemovedRepositoryReply) },
        Post<RepositoryRestore, RestoredRepositoryReply>("/repositories/{repository}/restore", Push, RestoreRepositoryAsync) with { Success = 200 },
        Get<DeletionReply>("/repositories/{repository}/deletion", Pull, PreviewRepositoryDeletionAsync) with { IsDear = true },
        Get<Page<DeletedReply>>("/repositories/{repository}/deleted", Pull, ListDeletedAsync),
        Get<RepositoryUsageReply>("/repositories/{repository}/usage", Pull, GetRepositoryUsageAsync) with { IsDear = true },

        One<ReadmeReply>("/repositories/{repository}/readme", Pull, GetReadmeAsync),
        Put<ReadmeText, ReadmeReply>("/repositories/{repository}/readme", Upkeep, WriteReadmeAsync) with { IsConditional = true, MaxBody = ReadmeEndpoints.MaxBody },
        Delete("/repositories/{repository}/readme", Upkeep, RemoveReadmeAsync) with { IsConditional = true },

        Get<Page<TagReply>>("/repositories/{repository}/tags", Pull, ListTagsAsync),
        Get<TagReply>("/repositories/{repository}/tags/{tag}", Pull, GetTagAsync),
        Delete("/repositories/{repository}/tags/{tag}", Removal, DeleteTagAsync) with { IsConditional = true },
        Get<DeletionReply>("/repositories/{repository}/tags/{tag}/deletion", Pull, PreviewTagDeletionAsync) with { IsDear = true },
        Get<Page<TagMoveReply>>("/repositories/{repository}/tags/{tag}/history", Pull, ListTagHistoryAsync) with { NewestFirst = true },
        Post<TagRestore, RestoredReply>("/repositories/{repository}/tags/{tag}/restore", Push, RestoreTagAsync) with { Success = 200 },

        One<ManifestReply>("/repositories/{repository}/manifests/{reference}", Pull, GetManifestAsync),
        Get<ReferrersReply>("/repositories/{repository}/manifests/{reference}/referrers", Pull, GetReferrersAsync),
        Delete("/repositories/{repository}/manifests/{digest}", Removal, DeleteManifestAsync),
        Get<DeletionReply>("/repositories/{repository}/manifests/{digest}/deletion", Pull, PreviewManifestDeletionAsync) with { IsDear = true },
        Post<RestoredReply>("/repositories/{repository}/manifests/{digest}/restore", Push, RestoreManifestAsync) with { Success = 200 },
        Post<RestoredReply>("/repositories/{repository}/blobs/{digest}/restore", Push, RestoreBlobAsync) with { Success = 200 },

        Get<FilesReply>("/repositories/{repository}/manifests/{reference}/files", Pull, ListFilesAsync) with { IsDear = true },
        Get<FileOfImageReply>("/repositories/{repository}/manifests/{reference}/file", Pull, GetFileAsync),
        Get<FileTextReply>("/repositories/{repository}/manifests/{reference}/text", Pull, GetFileTextAsync) with { IsDear = true },
        Get<PackagesReply>("/repositories/{repository}/manifests/{reference}/packages", Pull, ListPackagesAsync) with { IsDear = true },
        Get<FilesReply>("/repositories/{repository}/layers/{digest}/files", Pull, ListLayerFilesAsync),
        Get<ComparisonReply>("/repositories/{repository}/manifests/{reference}/comparison", PullBoth, CompareImagesAsync) with { IsDear = true },
        Get<FileChangesReply>("/repositories/{repository}/manifests/{reference}/comparison/files", PullBoth, CompareFilesAsync) with { IsDear = true },

        Get<Page<AccountReply>>("/accounts", Administrator, ListAccountsAsync),
        Post<NewAccount, AccountReply>("/accounts", Administrator, CreateAccountAsync) with { GivesPower = true },
        One<AccountReply>("/accounts/{account}", Administrator, GetAccountAsync),
        Patch<AccountChange, AccountReply>("/accounts/{account}", Administrator, ChangeAccountAsync) with { GivesPower = true, IsConditional = true },
        Delete("/accounts/{account}", Administrator, DeleteAccountAsync) with { IsConditional = true },
        Put<NewPassword>("/accounts/{account}/password", Owner, SetPasswordAsync) with { GivesPower = true, Answer = typeof(GeneratedPassword) },

        Get<Page<AccessTokenReply>>("/accounts/{account}/tokens", Owner, ListTokensAsync),
        Post<NewAccessToken, MadeAccessToken>("/accounts/{account}/tokens", Owner, CreateTokenAsync) with { GivesPower = true },
        Delete("/accounts/{account}/tokens/{id}", Owner, RevokeTokenAsync),

        Get<Page<WebhookReply>>("/webhooks", Administrator, ListWebhooksAsync),
        Post<NewWebhook, MadeWebhookReply>("/webhooks", Administrator, CreateWebhookAsync),
        Get<Page<WebhookReply>>("/namespaces/{ns}/webhooks", Maintainer, ListNamespaceWebhooksAsync),
        Post<NewWebhook, MadeWebhookReply>("/namespaces/{ns}/webhooks", Maintainer, CreateNamespaceWebhookAsync),
        One<WebhookReply>("/webhooks/{id}", Keeper, GetWebhookAsync),
        Patch<WebhookChange, WebhookReply>("/webhooks/{id}", Keeper, ChangeWebhookAsync) with { IsConditional = true },
        Delete("/webhooks/{id}", Keeper, DeleteWebhookAsync) with { IsConditional = true },
        Post<DeliveryReply>("/webhooks/{id}/test", Keeper, TestWebhookAsync),
        Get<Page<DeliveryReply>>("/webhooks/{id}/deliveries", Keeper, ListDeliveriesAsync) with { NewestFirst = true },
        One<WholeDeliveryReply>("/webhooks/{id}/deliveries/{delivery}", Keeper, GetDeliveryAsync),
        Post<DeliveryReply>("/webhooks/{id}/deliveries/{delivery}/redelivery", Keeper, RedeliverAsync),

        One<StoreUsageReply>("/usage", Administrator, GetStoreUsageAsync),
        Get<Page<NamespaceUsageReply>>("/usage/namespaces", Administrator, ListNamespaceUsageAsync),
        Get<SamplesReply>("/usage/samples", Administrator, ListSamplesAsync),
        Get<Page<NodeReply>>("/nodes", Administrator, ListNodesAsync),

        One<GcReply>("/gc", Administrator, GetGcAsync),
        Get<GcPreviewReply>("/gc/preview", Administrator, PreviewGcAsync) with { IsDear = true },
        Post<GcReply>("/gc/runs", Administrator, RunGcAsync) with { Success = 202 },

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
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = route.MaxBody;
        using var turn = route.IsDear ? await http.RequestServices.GetRequiredService<CallerTurns>().TakeAsync(request.CallerName, http.RequestAborted) : null;
        var answer = await route.Handler(request);
        await answer.ExecuteAsync(http);
    }
}
