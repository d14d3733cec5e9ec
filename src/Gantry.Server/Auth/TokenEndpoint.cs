using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Core.Limits;
using Gantry.Oci;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Auth;

/// <summary>
/// The token service of Docker's token specification: GET with Basic or without a credential, POST with the
/// <c>password</c> and <c>refresh_token</c> grants, and with an issuer's token to exchange (RFC 8693). It grants what the
/// policy gives of what was asked, and less than that is no error.
/// </summary>
public sealed class TokenEndpoint(
    BearerTokens tokens, RefreshTokens refreshTokens, Logins logins, AccessPolicy policy, AuditTrail audit,
    RequestLimits limits, IOptions<AccessOptions> options)
{
    private const string WrongPassword = "incorrect username or password";

    public async Task<IResult> GetAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (ScopeRequest.Parse(query["scope"]) is not { } scopes) return TooManyScopes(context);
        switch (Credential.Parse(context.Request.Headers.Authorization))
        {
            case Credential.None when policy.AllowsAnonymous:
                return await GrantAsync(context, login: null, scopes, refreshToken: null);
            case Credential.None:
                return Unauthorized(context, "authentication required");
            case Credential.Basic basic:
                return await LoginAsync(context, basic.Name, basic.Password, scopes, query["offline_token"] == "true");
            default:
                return Unauthorized(context, "a token is given for Basic authentication only, and this is not it");
        }
    }

    public async Task<IResult> PostAsync(HttpContext context)
    {
        if (await TokenForm.ReadAsync(context) is not { } form)
            return Invalid(context, "the body must be a form (application/x-www-form-urlencoded) of at most 64 KiB");
        if (form.Scopes is not { } scopes) return TooManyScopes(context);
        switch (form.GrantType)
        {
            case "password":
                var (name, password) = (form.Fields["username"].ToString(), form.Fields["password"].ToString());
                return name.Length == 0 || password.Length == 0
                    ? Invalid(context, "username and password must be there")
                    : await LoginAsync(context, name, password, scopes, form.Offline);
            case "refresh_token":
                var token = form.Fields["refresh_token"].ToString();
                return await refreshTokens.RedeemAsync(token, context.RequestAborted) is { } login
                    ? await GrantAsync(context, login, scopes, form.Offline ? token : null)
                    : Unauthorized(context, "the login has expired or was ended; log in again");
            case TokenExchange.GrantType:
                return TokenExchange.FaultOf(form) is { } fault
                    ? Invalid(context, fault)
                    : await LoginAsync(
                        context, actor => KeylessAsync(TokenExchange.SubjectToken(form), actor, context.RequestAborted), scopes,
                        form.Offline, TokenExchange.IssuedType);
            case "":
                return Invalid(context, "grant_type must be there");
            default:
                return Refuse(
                    context, 400, "unsupported_grant_type", OciErrorCode.Unsupported,
                    $"grant_type must be password, refresh_token or {TokenExchange.GrantType}");
        }
    }

    private Task<IResult> LoginAsync(HttpContext context, string name, string password, ScopeRequest scopes, bool offline) =>
        LoginAsync(
            context,
            actor => logins.TryLoginAsync(name, password, RequestAccess.ClientAddress(context), actor, context.RequestAborted),
            scopes, offline);

    private async Task<LoggedIn?> KeylessAsync(string token, Actor actor, CancellationToken cancellation) =>
        await logins.KeylessAsync(token, actor, cancellation);

    private async Task<IResult> LoginAsync(
        HttpContext context, Func<Actor, Task<LoggedIn?>> logIn, ScopeRequest scopes, bool offline, string? issuedType = null)
    {
        try
        {
            limits.CountLogin(RequestAccess.ClientAddress(context));
            if (await logIn(RequestAccess.ActorOf(context, null)) is not { } login) return Unauthorized(context, WrongPassword);
            limits.CountLogin(login.Account.Name.ToString());
            var refreshToken = offline ? await refreshTokens.IssueAsync(login, context.RequestAborted) : null;
            return await GrantAsync(context, login, scopes, refreshToken?.Text, issuedType);
        }
        catch (OciException e) when (e.Code == OciErrorCode.Unauthorized)
        {
            return Unauthorized(context, e.Detail!);
        }
        catch (OciException e) when (e.Code is OciErrorCode.TooManyRequests or OciErrorCode.Unavailable)
        {
            context.Response.Headers.RetryAfter = $"{e.RetryAfterSeconds ?? 1}";
            var error = e.Code == OciErrorCode.TooManyRequests ? "slow_down" : "temporarily_unavailable";
            return Refuse(context, e.Status, error, e.Code, e.Detail!);
        }
    }

    private async Task<IResult> GrantAsync(
        HttpContext context, LoggedIn? login, ScopeRequest scopes, string? refreshToken, string? issuedType = null)
    {
        if (login is not null) limits.CountRequest(login.Account.Name.ToString());
        var (token, granted) = await tokens.IssueAsync(login, scopes, context.RequestAborted);
        if (granted.Any(scope => (scope.Actions & ~RepositoryActions.Pull) != RepositoryActions.None))
        {
            // A token to pull changes nothing, and there are a thousand of them for each other one.
            var what = new Event(EventKinds.TokenIssue)
            {
                Repository = granted.Count == 1 ? granted[0].Repository : null, Detail = string.Join(' ', granted),
            };
            var actor = RequestAccess.ActorOf(context, login?.Account.Name.ToString());
            await audit.RecordAsync(what, actor, context.RequestAborted);
        }

        context.Response.Headers.CacheControl = "no-store";
        var reply = TokenReply.Of(token, refreshToken);
        if (issuedType is not null) reply = reply with { IssuedTokenType = issuedType, Scope = string.Join(' ', granted) };
        return TypedResults.Json(reply, AuthJson.Default.TokenReply);
    }

    // 401 for the POST too, where RFC 6749 would have 400: containerd and BuildKit then say "unauthorized".
    private JsonHttpResult<TokenRefusal> Unauthorized(HttpContext context, string message)
    {
        context.Response.Headers.WWWAuthenticate = $"Basic realm=\"{options.Value.Service}\",charset=\"UTF-8\"";
        return Refuse(context, 401, "invalid_grant", OciErrorCode.Unauthorized, message);
    }

    private static JsonHttpResult<TokenRefusal> TooManyScopes(HttpContext context) =>
        Invalid(context, $"there are more than {ScopeRequest.MaxScopes} scopes");

    private static JsonHttpResult<TokenRefusal> Invalid(HttpContext context, string message) =>
        Refuse(context, 400, "invalid_request", OciErrorCode.Unsupported, message);

    private static JsonHttpResult<TokenRefusal> Refuse(
        HttpContext context, int status, string error, OciErrorCode code, string message) =>
        TypedResults.Json(
            TokenRefusal.Of(error, code.Text().Wire, message, context.TraceIdentifier), AuthJson.Default.TokenRefusal,
            statusCode: status);
}
