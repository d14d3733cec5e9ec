using Gantry.Core.Access;
using Gantry.Server.Auth;

namespace Gantry.Server.Api;

/// <summary>
/// Who asks, under <c>/api</c>: a name with a password or an access token (Basic), an access token alone (Bearer), or a
/// browser's session. The bearer tokens of <c>/token</c> hold what they were given for <c>/v2</c>, which is nothing here.
/// </summary>
internal sealed class ApiLogin(Logins logins, SessionLogins sessions, SameOrigin sameOrigin)
{
    private const string HowTo =
        "send the account's name with its password or an access token (Basic), or an access token alone (Bearer)";

    /// <summary>Null: there is no credential, and no session.</summary>
    /// <exception cref="ApiException">401: nobody we know.</exception>
    public async Task<LoggedIn?> TryAsync(HttpContext http) =>
        Credential.Parse(http.Request.Headers.Authorization) switch
        {
            Credential.Basic basic => await logins.TryLoginAsync(
                    basic.Name, basic.Password, RequestAccess.ClientAddress(http), RequestAccess.ActorOf(http, null), http.RequestAborted)
                ?? throw ApiException.Unauthorized("the name or the password is wrong"),
            Credential.Bearer bearer when AccessTokenText.IsMeant(bearer.Token) =>
                await logins.TryBearerAsync(bearer.Token, RequestAccess.ActorOf(http, null), http.RequestAborted)
                ?? throw ApiException.Unauthorized("the access token is not valid, or not any more"),
            Credential.Bearer => throw ApiException.Unauthorized($"bearer tokens of {PublicAddress.TokenPath} are for /v2 alone: {HowTo}"),
            Credential.Unreadable unreadable => throw ApiException.Unauthorized($"the Authorization header: {unreadable.Fault}"),
            _ => await SessionAsync(http),
        };

    /// <summary>What somebody without a credential is told.</summary>
    public static ApiException Nobody() => ApiException.Unauthorized($"this needs an account: {HowTo}");

    private async Task<LoggedIn?> SessionAsync(HttpContext http)
    {
        if (await sessions.TryReadAsync(http) is not { } login) return null;
        return sameOrigin.Allows(http)
            ? login : throw ApiException.Forbidden("the browser does not say that a page of this registry sent this");
    }
}
