using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Core.Limits;
using Gantry.Oci;
using Gantry.Server.Limits;

namespace Gantry.Server.Auth;

/// <summary>
/// Lets a request under <c>/v2</c> pass, or answers with the error that makes its client do the right thing next. Reads
/// no body, so that <c>Expect: 100-continue</c> is answered only afterwards.
/// </summary>
/// <remarks>
/// No credential, and too little anonymously: 401. A token that is not valid: 401 <c>invalid_token</c>. A valid token
/// that grants too little: 401 <c>insufficient_scope</c> (the client fetches another one). A right password that may do
/// too little: 403 DENIED to who may read the repository, and 404 NAME_UNKNOWN, as if it were not there, to who may
/// not. A wrong password: 401; after many of them 429. None of these depends on whether the repository exists.
/// </remarks>
public sealed partial class RequestAccess(
    BearerTokens tokens, Logins logins, AccessPolicy policy, AuditTrail audit, RequestLimits limits, Challenge challenge,
    ILogger<RequestAccess> logger)
{
    /// <summary>
    /// The caller, who may do <paramref name="actions"/> on <paramref name="repository"/>; without a repository,
    /// anybody with a valid credential, or nobody in particular where the policy lets such in.
    /// </summary>
    /// <exception cref="OciException">
    /// Unauthorized, Denied, NameUnknown or TooManyRequests; the challenge is
    /// set.
    /// </exception>
    public async ValueTask<Caller> RequireAsync(
        HttpContext context, RepositoryName? repository, RepositoryActions actions)
    {
        var scopes = Challenge.ScopesFor(context, repository, actions);
        var (caller, credential) = await AuthenticateAsync(context, scopes);
        if (repository is not { } target)
        {
            return credential is not Credential.None || policy.AllowsAnonymous
                ? caller
                : throw Unauthorized(context, scopes, error: null, "this needs an account");
        }

        var decision = await caller.DecideAsync(target, context.RequestAborted);
        return (decision.Granted & actions) == actions
            ? caller
            : throw await RefusalAsync(context, caller, credential, target, actions, decision, scopes);
    }

    /// <summary>
    /// For <c>GET /v2/</c>: clients learn from its 401 how to log in, so it wants a credential, if only an anonymous
    /// token, even where none is needed to pull.
    /// </summary>
    public async ValueTask<Caller> RequireBaseAsync(HttpContext context)
    {
        var (caller, credential) = await AuthenticateAsync(context, []);
        return credential is not Credential.None
            ? caller
            : throw Unauthorized(context, [], error: null, "no credential was sent");
    }

    /// <summary>For <c>GET /v2/_catalog</c>; the caller then sees the repositories it may pull from.</summary>
    public async ValueTask<Caller> RequireCatalogAsync(HttpContext context)
    {
        Scope[] scopes = [Scope.Catalog];
        var (caller, credential) = await AuthenticateAsync(context, scopes);
        if (caller.MayListCatalog) return caller;
        throw Unauthorized(
            context, scopes, credential is Credential.Bearer ? "insufficient_scope" : null,
            "asked for the catalog; it is not granted");
    }

    /// <summary>Who does what this request does, for the audit trail.</summary>
    internal static Actor ActorOf(HttpContext context, string? account) =>
        new(account, context.Connection.RemoteIpAddress?.ToString(), context.TraceIdentifier, context.Request.Headers.UserAgent);

    /// <summary>The client's address; forwarded headers have been read before. None: a unix socket.</summary>
    internal static IPAddress ClientAddress(HttpContext context) =>
        context.Connection.RemoteIpAddress ?? IPAddress.None;

    private async Task<OciException> RefusalAsync(
        HttpContext context, ExplainedCaller caller, Credential credential, RepositoryName target, RepositoryActions actions,
        Decision decision, IReadOnlyList<Scope> scopes)
    {
        // A token that holds too little is a step of every client's way; only what no token would give is a denial.
        var now = await caller.PolicyAsync(target, context.RequestAborted);
        var another = (now.Granted & actions) == actions;
        var (asked, granted) = (Scope.Text(actions), Scope.Text(another ? decision.Granted : now.Granted));
        var detail = another
            ? $"asked for {asked} on {target}; the token grants {granted}, and another one can grant it"
            : $"asked for {asked} on {target}; granted is {granted} ({now.Rule})";
        if (!another)
        {
            LogRefused(logger, caller.Account, target, asked, granted, now.Rule);
            if (caller.Account is not null)
            {
                await audit.RecordAsync(
                    new Event(EventKinds.Denied) { Repository = target, Detail = detail },
                    ActorOf(context, caller.Account), context.RequestAborted);
            }
        }

        return credential switch
        {
            Credential.None => Unauthorized(context, scopes, error: null, detail),
            Credential.Bearer => Unauthorized(context, scopes, "insufficient_scope", detail),
            _ when now.Granted.HasFlag(RepositoryActions.Pull) => new OciException(OciErrorCode.Denied, detail),
            // The same text whether it is there or not.
            _ => new OciException(OciErrorCode.NameUnknown, detail),
        };
    }

    private async ValueTask<(ExplainedCaller Caller, Credential Credential)> AuthenticateAsync(
        HttpContext context, IReadOnlyList<Scope> scopes)
    {
        var credential = Credential.Parse(context.Request.Headers.Authorization);
        var caller = credential switch
        {
            Credential.None => policy.CallerFor(login: null),
            Credential.Bearer bearer => await VerifyAsync(bearer, context)
                ?? throw Unauthorized(context, scopes, "invalid_token", "the token is not valid, or not any more"),
            Credential.Basic basic => await LoginAsync(basic, context, scopes),
            Credential.Unreadable unreadable =>
                throw Unauthorized(context, scopes, error: null, $"the Authorization header: {unreadable.Fault}"),
            _ => throw new InvalidOperationException("an unknown kind of credential"),
        };
        if (caller.Account is { } account && AddressLimit.IsLimited(context.Request)) limits.CountRequest(account);
        return (caller, credential);
    }

    private async ValueTask<ExplainedCaller?> VerifyAsync(Credential.Bearer bearer, HttpContext context)
    {
        if (!AccessTokenText.IsMeant(bearer.Token)) return await tokens.VerifyAsync(bearer.Token, context.RequestAborted);
        var login = await logins.TryBearerAsync(bearer.Token, ActorOf(context, null), context.RequestAborted);
        return login is null ? null : policy.CallerFor(login);
    }

    // A push that shows its password at each request is not counted as logging in.
    private async Task<ExplainedCaller> LoginAsync(Credential.Basic basic, HttpContext context, IReadOnlyList<Scope> scopes)
    {
        try
        {
            return await logins.TryLoginAsync(
                basic.Name, basic.Password, ClientAddress(context), ActorOf(context, null), context.RequestAborted) is { } login
                ? policy.CallerFor(login)
                : throw Unauthorized(context, scopes, error: null, "the name or the password is wrong");
        }
        catch (OciException e) when (e.Code == OciErrorCode.Unauthorized)
        {
            // An issuer's token: the reason is said where it is found, the challenge is written here.
            throw Unauthorized(context, scopes, error: null, e.Detail!);
        }
    }

    private OciException Unauthorized(HttpContext context, IReadOnlyList<Scope> scopes, string? error, string detail)
    {
        challenge.Write(context, scopes, error, detail);
        return new OciException(OciErrorCode.Unauthorized, detail);
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Refused {Account} on {Repository}: asked {Asked}, granted {Granted}, because {Rule}")]
    private static partial void LogRefused(
        ILogger logger, string? account, RepositoryName repository, string asked, string granted, string rule);
}
