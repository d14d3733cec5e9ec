namespace Gantry.Server.Auth;

/// <summary>Errors outside of <c>/v2</c> (RFC 9457), each with the id under which the log knows the request.</summary>
internal static class Problems
{
    /// <param name="detail">For a person to read; holds no secret.</param>
    public static IResult Of(HttpContext context, int status, string title, string detail)
    {
        if (context.Features.Get<IProblemPages>() is { } pages) return pages.Of(status, detail);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(
            detail, statusCode: status, title: title,
            extensions: [KeyValuePair.Create<string, object?>("requestId", context.TraceIdentifier)]);
    }
}

/// <summary>Shows errors to people; a feature of requests that browsers make for somebody to read the answer.</summary>
internal interface IProblemPages
{
    IResult Of(int status, string detail);
}
