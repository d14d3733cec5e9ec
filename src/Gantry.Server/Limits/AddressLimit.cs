using Gantry.Core.Limits;
using Gantry.Server.Api;
using Gantry.Server.Auth;

namespace Gantry.Server.Limits;

/// <summary>
/// Counts each request for its address before anything else is done for it. What sends a body of a push is let pass:
/// clients try only requests without one again (PROTOCOL, 429). Under <c>/api</c> every request can be tried again.
/// </summary>
internal sealed class AddressLimit(RequestDelegate next, RequestLimits limits)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (IsLimited(http.Request)) limits.CountRequest(RequestAccess.ClientAddress(http));
        return next(http);
    }

    /// <summary>Whether a request may be refused for there being too many.</summary>
    public static bool IsLimited(HttpRequest request) =>
        (ApiServices.IsMeant(request.HttpContext) || (!HttpMethods.IsPatch(request.Method) && !HttpMethods.IsPut(request.Method)))
        && !request.Path.StartsWithSegments("/healthz", StringComparison.Ordinal);
}
