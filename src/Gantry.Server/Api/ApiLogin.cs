using Gantry.Core.Access;
using Gantry.Server.Auth;

namespace Gantry.Server.Api;

/// <summary>
/// Who asks, under <c>/api</c>: a name with a password or an access token (Basic), or an access token alone (Bearer). The
/// bearer tokens of <c>/token</c> hold what they were given for <c>/v2</c>, which is nothing here.
/// </summary>
internal sealed class ApiLogin(Logins logins)
{
    private const string HowTo =
        "send the account's name with its password or an access token (Basic), or an access token alone (Bearer)";

    /// <exception cref="ApiException">401: nobody, or nobody we know.</exception>
    public async Task<LoggedIn> RequireAsync(HttpContext http) =>
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
            _ => await SessionAsync(http) ?? throw ApiException.Unauthorized($"this needs an account: {HowTo}"),
        };

    // A browser's session plugs in here.
    private static Task<LoggedIn?> SessionAsync(HttpContext http) => Task.FromResult<LoggedIn?>(null);
}
