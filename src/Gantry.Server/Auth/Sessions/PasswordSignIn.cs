using Gantry.Core.Access;
using Gantry.Core.Limits;
using Gantry.Oci;

namespace Gantry.Server.Auth;

/// <summary>Begins a session by a name and a password.</summary>
internal sealed class PasswordSignIn(Logins logins, SessionLogins sessions, RequestLimits limits)
{
    /// <summary>Null: one of the two is wrong.</summary>
    /// <exception cref="OciException">TooManyRequests; Unavailable where a directory that knows it does not answer.</exception>
    public async Task<LoggedIn?> TryAsync(HttpContext context, string name, string password)
    {
        var (address, actor) = (RequestAccess.ClientAddress(context), RequestAccess.ActorOf(context, null));
        limits.CountLogin(address);
        // An access token may do less than its account; a session would not know.
        if (AccessTokenText.IsMeant(password)
            || await logins.TryLoginAsync(name, password, address, actor, context.RequestAborted) is not { } login
            || !SessionLogins.CanBegin(login))
            return null;
        limits.CountLogin(login.Account.Name.ToString());
        return sessions.Begin(context, login);
    }
}
