using Microsoft.AspNetCore.Http.HttpResults;

namespace Gantry.Server.Auth;

/// <summary>Errors outside of <c>/v2</c> (RFC 9457), each with the id under which the log knows the request.</summary>
internal static class Problems
{
    /// <param name="detail">For a person to read; holds no secret.</param>
    public static ProblemHttpResult Of(HttpContext context, int status, string title, string detail)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(
            detail, statusCode: status, title: title,
            extensions: [KeyValuePair.Create<string, object?>("requestId", context.TraceIdentifier)]);
    }
}
