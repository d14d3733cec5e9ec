using Gantry.Core.Access;
using Gantry.Core.Webhooks;

namespace Gantry.Server.Api;

/// <param name="Namespace">Whose events; null: those of all.</param>
/// <param name="Kinds">What is told: push, tag.delete, manifest.delete …</param>
/// <param name="Repositories">A pattern of whole names, with <c>*</c> for any characters.</param>
/// <param name="HasAuthorization">Whether each delivery has an Authorization header.</param>
/// <param name="FailedSince">The first failure after the last success; null: it works, or nothing was sent yet.</param>
/// <param name="Failing">It has failed for long, and an event has told it.</param>
internal sealed record WebhookReply(
    long Id, string? Namespace, string Name, string Url, WebhookFormat Format, IReadOnlyList<string> Kinds, string Repositories, bool Active,
    bool HasAuthorization, DateTimeOffset CreatedAt, DateTimeOffset? FailedSince, bool Failing)
{
    public static WebhookReply Of(Webhook webhook) => new(
        webhook.Id, webhook.Namespace, webhook.Name, webhook.Url, webhook.Format, webhook.Kinds, $"{webhook.Repositories}", webhook.Active,
        webhook.HasAuthorization, webhook.CreatedAt, webhook.FailedSince, webhook.Failing);
}

/// <param name="Secret">Signs every delivery: shown now, and never again.</param>
internal sealed record MadeWebhookReply(WebhookReply Webhook, string Secret);

/// <param name="Url">http or https, without credentials; to a private address only where the settings name its network.</param>
/// <param name="Format">Cloudevents where it is missing.</param>
/// <param name="Kinds">Push, and deletes and restores of tags and manifests where it is missing.</param>
/// <param name="Repositories">A pattern of whole names, with <c>*</c> for any characters; all where it is missing.</param>
/// <param name="Secret"><c>whsec_</c> and 24 to 64 bytes in base64; made up where it is missing.</param>
/// <param name="Authorization">The whole value of a header of that name, kept as a secret.</param>
/// <param name="Active">True where it is missing.</param>
internal sealed record NewWebhook(
    string Name, string Url, WebhookFormat? Format, IReadOnlyList<string>? Kinds, string? Repositories, string? Secret, string? Authorization,
    bool? Active);

/// <summary>What is missing stays as it is.</summary>
/// <param name="Url">On another host: the authorization, where there is one, has to be there too.</param>
/// <param name="Secret">Another one; deliveries that wait are signed with it too.</param>
/// <param name="Authorization">Empty: no such header any more.</param>
/// <param name="Active">False: nothing is sent, and what waits is given up.</param>
internal sealed record WebhookChange(
    string? Name, string? Url, WebhookFormat? Format, IReadOnlyList<string>? Kinds, string? Repositories, string? Secret, string? Authorization,
    bool? Active);

internal static class WebhookEndpoints
{
    [EndpointSummary("All webhooks, of namespaces and of everything, in the order they were made")]
    public static Task<IResult> ListWebhooksAsync(ApiRequest request) => ListAsync(request, null);

    [EndpointSummary("The webhooks of a namespace, in the order they were made")]
    public static Task<IResult> ListNamespaceWebhooksAsync(ApiRequest request) => ListAsync(request, request.NamespaceName);

    [EndpointSummary("Makes a webhook that is told what happens anywhere, and shows its secret, once")]
    public static Task<IResult> CreateWebhookAsync(ApiRequest request) => CreateAsync(request, null);

    [EndpointSummary("Makes a webhook that is told what happens in a namespace, and shows its secret, once")]
    public static Task<IResult> CreateNamespaceWebhookAsync(ApiRequest request) => CreateAsync(request, request.NamespaceName);

    [EndpointSummary("One webhook, without its secrets")]
    public static Task<IResult> GetWebhookAsync(ApiRequest request) => Task.FromResult(request.One(WebhookReply.Of(request.Webhook)));

    [EndpointSummary("Changes a webhook, or switches it off: what waits for it is given up then")]
    public static async Task<IResult> ChangeWebhookAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var fields = Read(body, isNew: false);
        body.End();
        if (fields == new WebhookChanges()) throw new ApiException(400, "the body changes nothing");
        var changed = await request.Service<WebhookList>().ChangeAsync(request.Webhook.Id, fields, Expected(request), request.Actor, request.Aborted);
        return changed is null ? throw Gone(request) : request.Changed(WebhookReply.Of(changed));
    }

    [EndpointSummary("Deletes a webhook, with its deliveries")]
    public static async Task<IResult> DeleteWebhookAsync(ApiRequest request) =>
        await request.Service<WebhookList>().DeleteAsync(request.Webhook.Id, Expected(request), request.Actor, request.Aborted)
            ? ApiRequest.NoContent() : throw Gone(request);

    private static async Task<IResult> ListAsync(ApiRequest request, NamespaceName? home)
    {
        var (limit, after) = (request.Limit(), request.QueryId("after"));
        var rows = await request.Service<WebhookList>().PageAsync(home, after, limit + 1, request.Aborted);
        return request.Ok(request.Page(rows, limit, WebhookReply.Of, row => $"{row.Id}"));
    }

    private static async Task<IResult> CreateAsync(ApiRequest request, NamespaceName? home)
    {
        var body = await request.BodyAsync();
        var fields = Read(body, isNew: true);
        var (format, kinds) = (fields.Format ?? WebhookFormat.CloudEvents, fields.Kinds ?? WebhookKinds.Usual);
        if (fields.Kinds is not null && WebhookKinds.FaultOf(kinds, format, home is not null) is { } fault) body.Fault("kinds", fault);
        body.End();

        var settings = new NewWebhookSettings(fields.Name!, fields.Url!.Value, format, kinds)
        {
            Repositories = fields.Repositories ?? WebhookKinds.AnyRepository, Active = fields.Active ?? true, Secret = fields.Secret,
            Authorization = fields.Authorization,
        };
        var made = await request.Service<WebhookList>().CreateAsync(home, settings, request.Actor, request.Aborted)
            ?? throw ApiException.NotFound($"the namespace {home} is gone");
        return request.Created($"/webhooks/{made.Webhook.Id}", new MadeWebhookReply(WebhookReply.Of(made.Webhook), made.Secret.Reveal()));
    }

    private static WebhookChanges Read(BodyFields body, bool isNew)
    {
        var kinds = body.Texts("kinds", WebhookKinds.All.Count, required: false);
        var secretText = body.Text("secret", 200);
        WebhookSecret? secret = null;
        if (secretText is not null && !WebhookSecret.TryParse(secretText, out secret))
            body.Fault("secret", $"must be {WebhookSecret.Prefix} and 24 to 64 random bytes in base64");
        var authorization = body.Text("authorization", WebhookList.MaxAuthorization);
        if (authorization is not null && !authorization.All(c => c is >= ' ' and <= '~')) body.Fault("authorization", "must be printable ASCII, as a header's value is");
        return new WebhookChanges
        {
            Name = body.Text("name", WebhookList.MaxName, required: isNew),
            Url = body.ParseAny<WebhookUrl>("url", WebhookUrl.TryParse,
                "must be an http or https URL, without credentials and without #", required: isNew, longest: WebhookUrl.MaxLength),
            Format = body.Word<WebhookFormat>("format"), Kinds = kinds.Count > 0 ? kinds : null,
            Repositories = body.ParseAny<RepositoryPattern>("repositories", RepositoryPattern.TryParse, "must be at most 255 of a-z, 0-9, '.', '_', '-', '/' and '*'"),
            Active = body.Flag("active"), Secret = secret, Authorization = authorization,
        };
    }

    private static Action<Webhook> Expected(ApiRequest request) => webhook => request.RequireMatch(WebhookReply.Of(webhook));

    private static ApiException Gone(ApiRequest request) => ApiException.NotFound($"the webhook {request.Webhook.Id} is gone");
}
