using Gantry.Core.Access;

namespace Gantry.Server.Api;

/// <param name="Scopes"><c>repository:PATTERN:pull,push,delete</c>, <c>api:*</c>, or <c>*</c> for everything.</param>
/// <param name="ExpiresAt">Null: never.</param>
/// <param name="LastUsedAt">To the minute; null: not yet.</param>
internal sealed record AccessTokenReply(
    long Id, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt)
{
    public static AccessTokenReply Of(AccessToken token) =>
        new(token.Id, token.Name, token.Scopes, token.CreatedAt, token.ExpiresAt, token.LastUsedAt);
}

/// <param name="Token">The token itself: shown now, and never again.</param>
internal sealed record MadeAccessToken(
    long Id, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, string Token);

/// <param name="ExpiresAt">Null: never. Missing, with <paramref name="ExpiresInDays"/>: in 90 days.</param>
/// <param name="ExpiresInDays">1 to 3,660, in place of <paramref name="ExpiresAt"/>.</param>
internal sealed record NewAccessToken(string Name, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt, int? ExpiresInDays);

internal static class AccessTokenEndpoints
{
    private const int UsualDays = 90, MostDays = 3660;

    [EndpointSummary("The access tokens of an account, expired ones too, in the order they were made")]
    public static async Task<IResult> ListTokensAsync(ApiRequest request)
    {
        var tokens = await request.Service<AccessTokens>().ListAsync(request.SubjectName, request.Aborted);
        return request.Ok(request.PageOf(tokens, AccessTokenReply.Of, token => token.Id));
    }

    [EndpointSummary("Makes an access token, and shows it, once; it never outlives the credential that makes it")]
    public static async Task<IResult> CreateTokenAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var name = body.Text("name", AccessTokens.MaxNameLength, required: true);
        var scopes = body.Texts("scopes", AccessLimit.MaxScopes);
        AccessLimit? limit = null;
        if (scopes.Count > 0 && !AccessLimit.TryParse(scopes, out limit, out var fault)) body.Fault("scopes", $"are refused: {fault}");
        var expiresAt = ReadExpiry(body, request.Service<TimeProvider>().GetUtcNow(), EndOf(request.Login));
        body.End();

        var made = await request.Service<AccessTokens>().CreateAsync(
            request.SubjectName, name!, limit!, expiresAt, request.Actor, request.Aborted)
            ?? throw ApiException.NotFound($"the account {request.Subject.Name} is gone");
        var token = made.Token;
        return request.Created($"/accounts/{request.Subject.Name}/tokens/{token.Id}",
            new MadeAccessToken(token.Id, token.Name, token.Scopes, token.CreatedAt, token.ExpiresAt, made.Text));
    }

    [EndpointSummary("Revokes an access token, and all that was made from it, at once")]
    public static async Task<IResult> RevokeTokenAsync(ApiRequest request) =>
        await request.Service<AccessTokens>().RevokeAsync(request.SubjectName, request.RouteId, request.Actor, request.Aborted)
            ? ApiRequest.NoContent()
            : throw ApiException.NotFound($"{request.Subject.Name} has no access token {request.Route("id")}");

    // A browser's session ends too, but a person stands behind it: the same could log in again.
    private static DateTimeOffset? EndOf(LoggedIn login) => login is { AccessTokenId: null, TrustId: null } ? null : login.Expires;

    /// <param name="latest">When the credential that makes the token ends; a token that outlives it would be more than it is.</param>
    private static DateTimeOffset? ReadExpiry(BodyFields body, DateTimeOffset now, DateTimeOffset? latest)
    {
        var (at, days) = (body.Time("expiresAt"), body.Number("expiresInDays", 1, MostDays));
        if (body.Has("expiresAt") && days is not null) body.Fault("expiresInDays", "cannot be there with expiresAt");
        if (at <= now) body.Fault("expiresAt", "is past");
        if (at > now.AddDays(MostDays)) body.Fault("expiresAt", $"is more than {MostDays} days away; null is never");

        var isChosen = body.Has("expiresAt") || days is not null;
        var wanted = at ?? (body.Has("expiresAt") ? null : now.AddDays(days ?? UsualDays));
        if (latest is null || wanted <= latest) return wanted;
        if (isChosen) body.Fault(days is null ? "expiresAt" : "expiresInDays", $"is after {latest:u}, when the credential at hand ends");
        return latest;
    }
}
