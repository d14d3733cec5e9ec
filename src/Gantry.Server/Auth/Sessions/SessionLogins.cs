using System.Text.Json.Serialization;
using Gantry.Core.Access;
using Microsoft.AspNetCore.DataProtection;

namespace Gantry.Server.Auth;

/// <summary>What a session's cookie holds.</summary>
/// <param name="Stamp">The account's security stamp at the login: another one by now, and the session has ended.</param>
internal sealed record Session(
    [property: JsonPropertyName("a")] long AccountId, [property: JsonPropertyName("s")] Guid Stamp,
    [property: JsonPropertyName("m")] LoginMethod Method, [property: JsonPropertyName("e")] DateTimeOffset Expires);

/// <summary>
/// Sessions of browsers: the cookie <c>gantry_session</c>, for 12 hours. Nothing of one is stored here, and nothing under
/// <c>/v2</c> reads or sets it. Each request with one reads the account again: it ends at once, on every node, when the
/// account is disabled or gets another security stamp.
/// </summary>
/// <remarks>
/// Whoever changes something for a session must ask <see cref="SameOrigin.Allows"/> first: a browser sends the cookie
/// whoever made it send the request.
/// </remarks>
public sealed class SessionLogins(
    IDataProtectionProvider protection, LoginRenewal renewal, PublicAddress address, TimeProvider time)
{
    public const string CookieName = "gantry_session";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private readonly SealedCookie<Session> _cookie =
        new(CookieName, protection.CreateProtector("Gantry.Session.v1"), AuthJson.Default.Session);

    /// <summary>Who is signed in; null: nobody, or not any more.</summary>
    public async Task<LoggedIn?> TryReadAsync(HttpContext context)
    {
        if (_cookie.Read(context) is not { } session || session.Expires <= time.GetUtcNow()) return null;
        var login = await renewal.RenewAsync(session.AccountId, null, null, context.RequestAborted);
        return login?.SecurityStamp == session.Stamp ? login with { Method = session.Method, Expires = session.Expires } : null;
    }

    /// <summary>Signs the browser in that made this request.</summary>
    /// <exception cref="ArgumentException">The login is an access token's or a trust's: a session would be more than it.</exception>
    internal LoggedIn Begin(HttpContext context, LoggedIn login)
    {
        if (!CanBegin(login)) throw new ArgumentException("a session is made of a person's own login", nameof(login));
        var expires = time.GetUtcNow() + Lifetime;
        var session = new Session(login.Account.Id, login.SecurityStamp, login.Method, expires);
        _cookie.TryWrite(context, Root(context), session, Lifetime);
        return login with { Expires = expires };
    }

    internal static bool CanBegin(LoggedIn login) =>
        login is { AccessTokenId: null, TrustId: null }
        && login.Method is LoginMethod.Password or LoginMethod.Ldap or LoginMethod.SingleSignOn;

    /// <summary>Signs that browser out.</summary>
    internal void End(HttpContext context) => _cookie.Delete(context, Root(context));

    private Uri Root(HttpContext context) => new(address.UrlOf(context, "/"));
}
