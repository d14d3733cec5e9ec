using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Core.Access;
using Gantry.Oci;
using Microsoft.AspNetCore.Http.Features;

namespace Gantry.Server.Auth;

/// <summary>Name and password of a person, as <c>POST /session</c> wants them.</summary>
internal sealed record SessionForm(
    [property: JsonPropertyName("name")] string? Name, [property: JsonPropertyName("password")] string? Password);

/// <summary>Who is signed in.</summary>
internal sealed record SessionReply(
    [property: JsonPropertyName("account")] string Account, [property: JsonPropertyName("administrator")] bool Administrator,
    [property: JsonPropertyName("method")] string Method, [property: JsonPropertyName("expires")] DateTimeOffset? Expires)
{
    public static SessionReply Of(LoggedIn login) =>
        new(login.Account.Name.ToString(), login.Account.IsAdministrator, login.Method.ToString(), login.Expires);
}

/// <summary>Signing in to the web with a password, and asking who is signed in.</summary>
internal sealed class SessionEndpoints(PasswordSignIn signIn, SessionLogins sessions, SameOrigin sameOrigin)
{
    private const long MaxBodyBytes = 32 * 1024;

    public async Task<IResult> GetAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return await sessions.TryReadAsync(context) is { } login
            ? TypedResults.Json(SessionReply.Of(login), AuthJson.Default.SessionReply)
            : Problems.Of(context, 401, "Not signed in", "there is no session, or it has ended");
    }

    public async Task<IResult> PostAsync(HttpContext context)
    {
        // A form of another site cannot send JSON; its script could, and says where it comes from.
        if (sameOrigin.IsForeign(context)) return Problems.Of(context, 403, "Refused", "another site sent this request");
        if (!context.Request.HasJsonContentType())
            return Problems.Of(context, 415, "Refused", "name and password are wanted as application/json");
        if (await ReadAsync(context) is not { Name: { } name, Password: { } password })
            return Problems.Of(context, 400, "Refused", "the body is not an object with name and password");
        try
        {
            if (await signIn.TryAsync(context, name, password) is not { } login)
                return Problems.Of(context, 401, "Not signed in", "the name or the password is wrong");
            context.Response.Headers.CacheControl = "no-store";
            return TypedResults.Json(SessionReply.Of(login), AuthJson.Default.SessionReply);
        }
        catch (OciException e) when (e.Code == OciErrorCode.TooManyRequests)
        {
            context.Response.Headers.RetryAfter = $"{e.RetryAfterSeconds ?? 1}";
            return Problems.Of(context, 429, "Not now", e.Detail!);
        }
    }

    public IResult End(HttpContext context)
    {
        if (!sameOrigin.Allows(context))
            return Problems.Of(context, 403, "Refused", "another site, or no browser, sent this request");
        sessions.End(context);
        return TypedResults.NoContent();
    }

    private static async Task<SessionForm?> ReadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBodyBytes;
        try
        {
            return await context.Request.ReadFromJsonAsync(AuthJson.Default.SessionForm, context.RequestAborted);
        }
        catch (Exception e) when (e is JsonException or BadHttpRequestException)
        {
            return null;
        }
    }
}
