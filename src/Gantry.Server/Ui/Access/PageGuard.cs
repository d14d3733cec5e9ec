using System.Globalization;
using System.Security.Claims;
using Gantry.Core.Limits;
using Gantry.Server.Auth;
using Gantry.Server.Limits;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Http.Features;

namespace Gantry.Server.Ui;

/// <summary>
/// What happens to every request for a page, before anything of it runs: (1) headers that keep it safe, (2) who visits, (3) where a
/// form comes from, and who opened it, (4) whether the visitor may, (5) whose turn it is. Requests for anything else pass untouched: their cookies are not read.
/// </summary>
internal sealed class PageGuard(
    RequestDelegate next, SessionLogins sessions, SameOrigin sameOrigin, PageAccess access, RequestLimits limits, CallerTurns turns,
    Notices notices)
{
    /// <summary>The longest form: a README, each byte of which may be sent as three. It bounds the memory of reading one.</summary>
    private const int MaxBodyBytes = 224 * 1024;

    /// <summary>Nothing but our own style, script, pictures and forms, and nobody's frame. No inline script or style exists.</summary>
    public const string Policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        + "base-uri 'self'; frame-ancestors 'none'";

    public static bool IsPage(Endpoint? endpoint) =>
        endpoint?.Metadata.GetMetadata<ComponentTypeMetadata>() is not null || endpoint?.Metadata.GetMetadata<NeedsAttribute>() is not null;

    public async Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint() is not { } endpoint || !IsPage(endpoint))
        {
            await next(http);
            return;
        }

        // 1.
        WriteHeaders(http.Response);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxBodyBytes;

        // 2.
        var visit = await BeginAsync(http, sessions);
        if (visit.Name is { } name) limits.CountRequest(name);
        if (HttpMethods.IsGet(http.Request.Method)) visit.Notice = notices.Take(visit);

        // 3. A link of another site may lead here, a form of one may not.
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method)) await CheckFormAsync(visit);

        // 4.
        var needs = endpoint.Metadata.GetMetadata<NeedsAttribute>()?.Needs
            ?? throw new InvalidOperationException($"{endpoint.DisplayName} does not say what it needs");
        if (!await access.AllowsAsync(visit, needs))
        {
            visit.See($"signin?return={Uri.EscapeDataString(visit.Here)}");
            return;
        }

        // 5.
        using var turn = endpoint.Metadata.GetMetadata<DearAttribute>() is null ? null : await turns.TakeAsync(CallerTurns.CallerOf(http, visit.Name), visit.Aborted);
        await next(http);
    }

    private async Task CheckFormAsync(Visit visit)
    {
        if (visit.Login is null ? sameOrigin.IsForeign(visit.Http) : !sameOrigin.Allows(visit.Http))
            throw PageException.Forbidden("The browser does not say that a page of this registry sent this form.");
        await ReadFormAsync(visit);
        if (!await visit.Service<IAntiforgery>().IsRequestValidAsync(visit.Http))
        {
            throw new PageException(StatusCodes.Status400BadRequest,
                "This form was opened too long ago, or by somebody else. Go back, reload the page and send it again.");
        }
    }

    // Read here: to antiforgery a form that is too long is one without a token.
    private static async Task ReadFormAsync(Visit visit)
    {
        if (!visit.Http.Request.HasFormContentType) return;
        try
        {
            await visit.Http.Request.ReadFormAsync(visit.Aborted);
        }
        catch (InvalidDataException broken)
        {
            throw new PageException(StatusCodes.Status400BadRequest, broken.Message);
        }
    }

    /// <summary>Reads the session, once for the whole request.</summary>
    public static async Task<Visit> BeginAsync(HttpContext http, SessionLogins sessions)
    {
        var visit = new Visit(http, await sessions.TryReadAsync(http));
        http.Features.Set(visit);
        // Forms are sealed to who opened them: what was opened before signing in, or as another account, is no good after.
        if (visit.Login is { } login)
        {
            http.User = new ClaimsPrincipal(new ClaimsIdentity(
                [new Claim("sub", login.Account.Id.ToString(CultureInfo.InvariantCulture), null, "gantry")], "session"));
        }

        return visit;
    }

    public static void WriteHeaders(HttpResponse response)
    {
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.XFrameOptions = "DENY";
        // Not "no-referrer": forms would then not say where they come from.
        response.Headers["Referrer-Policy"] = "same-origin";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        response.Headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()";
        response.Headers.CacheControl = "no-cache, no-store";
    }
}
