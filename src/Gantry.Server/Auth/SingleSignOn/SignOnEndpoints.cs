using System.Text.Json.Serialization;
using Gantry.Core.Access;
using Gantry.Oci;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Primitives;

namespace Gantry.Server.Auth;

/// <summary>A provider to choose.</summary>
internal sealed record SignOnChoice(
    [property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("displayName")] string DisplayName,
    [property: JsonPropertyName("url")] string Url);

/// <summary>
/// The browser's way through a provider: <c>/sso/NAME/login</c> sends it there, <c>/sso/NAME/callback</c> takes it back
/// and begins its session. In between the browser itself keeps the sign-on, sealed, in a cookie of that provider's path.
/// </summary>
internal sealed partial class SignOnEndpoints(
    SingleSignOn signOn, SessionLogins sessions, PublicAddress address, IDataProtectionProvider protection,
    ILogger<SignOnEndpoints> logger)
{
    private readonly SealedCookie<SignOnAttempt> _cookie =
        new("gantry_sso", protection.CreateProtector("Gantry.SignOn.v1"), AuthJson.Default.SignOnAttempt);

    public IResult List(HttpContext context)
    {
        IReadOnlyList<SignOnChoice> choices =
        [
            .. from each in signOn.Providers
               select new SignOnChoice(each.Name, each.DisplayName, address.UrlOf(context, $"/sso/{each.Name}/login")),
        ];
        return TypedResults.Json(choices, AuthJson.Default.IReadOnlyListSignOnChoice);
    }

    public Task<IResult> LoginAsync(HttpContext context, string provider) => WithAsync(context, provider, async chosen =>
    {
        var home = new Uri(address.UrlOf(context, "/")).AbsolutePath;
        var path = One(context, "return") ?? home;
        if (!IsLocalPath(path))
            return Problems.Of(context, 400, "Refused", "return must be a path of this registry, as in a URL");
        var start = await chosen.BeginAsync(address.UrlOf(context, $"/sso/{provider}/callback"), path, context.RequestAborted);
        return _cookie.TryWrite(context, CookieAddress(context, provider), start.Attempt, SignOnAttempt.Lifetime)
            ? TypedResults.Redirect(start.Address.AbsoluteUri)
            : Problems.Of(context, 400, "Refused", "return is too long");
    });

    public Task<IResult> CallbackAsync(HttpContext context, string provider) => WithAsync(context, provider, async chosen =>
    {
        var attempt = _cookie.Read(context);
        _cookie.Delete(context, CookieAddress(context, provider));
        if (attempt is null)
            throw new SignOnException(SignOnFault.Request, "this browser has begun no sign-on, or long ago; begin again");
        var answer = new SignOnAnswer(One(context, "state"), One(context, "code"), One(context, "error"), One(context, "iss"));
        var actor = RequestAccess.ActorOf(context, null);
        var login = await signOn.CompleteAsync(chosen, attempt, answer, actor, context.RequestAborted);
        sessions.Begin(context, login);
        return TypedResults.Redirect(attempt.ReturnPath);
    });

    private async Task<IResult> WithAsync(HttpContext context, string name, Func<SignOnProvider, Task<IResult>> work)
    {
        // Codes and states stand in these addresses.
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        if (signOn.Find(name) is not { } provider)
            return Problems.Of(context, 404, "No such provider", "there is no provider of this name");
        try
        {
            return await work(provider);
        }
        catch (SignOnException e)
        {
            // A provider's fault is for the operator to see too; why exactly is told to nobody else.
            if (e.Fault is SignOnFault.Answer or SignOnFault.Unreachable) LogFault(logger, name, context.TraceIdentifier, e);
            if (e.Fault == SignOnFault.Unreachable) context.Response.Headers.RetryAfter = "5";
            return Problems.Of(context, StatusOf(e.Fault), "Not signed in", e.Message);
        }
        catch (OciException e) when (e.Code == OciErrorCode.Denied)
        {
            return Problems.Of(context, 403, "Not signed in", e.Detail!);
        }
    }

    private Uri CookieAddress(HttpContext context, string provider) => new(address.UrlOf(context, $"/sso/{provider}"));

    private static int StatusOf(SignOnFault fault) => fault switch
    {
        SignOnFault.Request => 400,
        SignOnFault.Denied => 403,
        SignOnFault.Answer => 502,
        _ => 503,
    };

    // What is there twice was put there by somebody else.
    private static string? One(HttpContext context, string name) =>
        context.Request.Query.TryGetValue(name, out StringValues values) && values is [{ } value] ? value : null;

    // Browsers take "//host" and "/\host" for another site, and drop control characters before they look.
    internal static bool IsLocalPath(string path) =>
        path.Length is > 0 and <= 1024 && path[0] == '/' && !path.StartsWith("//", StringComparison.Ordinal)
        && path.All(c => c is > ' ' and <= '~' and not '\\');

    [LoggerMessage(Level = LogLevel.Warning, Message = "The provider {Provider} could not be used by request {RequestId}")]
    private static partial void LogFault(ILogger logger, string provider, string requestId, Exception exception);
}
