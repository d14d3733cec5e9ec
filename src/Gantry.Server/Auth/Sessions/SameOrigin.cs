namespace Gantry.Server.Auth;

/// <summary>
/// Keeps other sites from making a signed-in browser change something (cross-site request forgery). Needs no token in
/// the page: browsers say where a request comes from, and do not let a site lie about it.
/// </summary>
public sealed class SameOrigin(PublicAddress address)
{
    /// <summary>
    /// Whether a request that comes with a session may do what it asks: a safe method may; any other only where the
    /// browser says that a page of this registry, or the person himself, sent it (<c>Sec-Fetch-Site</c>, else
    /// <c>Origin</c>). A request that says nothing of the kind may not.
    /// </summary>
    public bool Allows(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || Verdict(context) == true;

    /// <summary>
    /// Whether the browser says that another site sent it; for a request that brings no session, and may begin one.
    /// </summary>
    public bool IsForeign(HttpContext context) => Verdict(context) == false;

    // Null: the client says nothing. Sec-Fetch-Site comes first: behind a proxy that tells no scheme, Origin seems foreign.
    private bool? Verdict(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers["Sec-Fetch-Site"] is { Count: > 0 } site) return site is ["same-origin"] or ["none"];
        if (headers.Origin is not { Count: > 0 } origin) return null;
        return origin is [{ } text] && Uri.TryCreate(text, UriKind.Absolute, out var from)
            && Uri.Compare(
                from, new Uri(address.UrlOf(context, "/")), UriComponents.SchemeAndServer, UriFormat.UriEscaped,
                StringComparison.OrdinalIgnoreCase) == 0;
    }
}
