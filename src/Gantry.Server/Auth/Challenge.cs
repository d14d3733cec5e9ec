using Gantry.Core.Access;
using Gantry.Oci;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Auth;

/// <summary>
/// The <c>WWW-Authenticate</c> header of a 401: one line, Bearer alone, with the scopes of exactly that request.
/// </summary>
/// <remarks>
/// Basic is accepted but not offered: docker answers every challenge it gets, so a second line would make it replace
/// its token by the password, and fail where it has none (an anonymous pull, a login kept as identity token).
/// </remarks>
public sealed class Challenge(PublicAddress address, IOptions<AccessOptions> options)
{
    // Proxies have 4 KiB for all headers of an answer; a namespace may have many rules with long patterns.
    private const int MaxDescription = 1024;

    /// <param name="error">An error code of RFC 6750, 3.1, when a credential was there; null when there was
    /// none.</param>
    /// <param name="detail">
    /// The same as in the body. docker, podman and skopeo show nothing of a body but its fixed message, and a HEAD has
    /// none; they do show the description of an error.
    /// </param>
    public void Write(HttpContext context, IReadOnlyList<Scope> scopes, string? error, string detail)
    {
        var text = $"Bearer realm=\"{address.TokenUrl(context)}\",service=\"{options.Value.Service}\"";
        if (scopes.Count > 0) text += $",scope=\"{string.Join(' ', scopes)}\"";
        if (error is not null) text += $",error=\"{error}\",error_description=\"{Quotable(detail)} (request {context.TraceIdentifier})\"";
        context.Response.Headers.WWWAuthenticate = text;
    }

    // RFC 6750, 3: printable ASCII without quotes and backslashes, which not every client could read if they were escaped.
    private static string Quotable(string detail) =>
        string.Concat(detail.Take(MaxDescription).Select(c => c is >= ' ' and <= '~' and not '"' and not '\\' ? c : '?'));

    /// <summary>
    /// The scopes to ask for. Pushing means pulling too (clients look before they send). A mount needs to pull from its
    /// source in the same token.
    /// </summary>
    internal static IReadOnlyList<Scope> ScopesFor(
        HttpContext context, RepositoryName? repository, RepositoryActions actions)
    {
        if (repository is not { } target || actions == RepositoryActions.None) return [];
        if (actions.HasFlag(RepositoryActions.Push)) actions |= RepositoryActions.Pull;
        var asked = new Scope(target, actions);

        var query = context.Request.Query;
        return actions.HasFlag(RepositoryActions.Push) && HttpMethods.IsPost(context.Request.Method)
            && query.ContainsKey("mount") && RepositoryName.TryParse(query["from"], out var source) && source != target
            ? [asked, new Scope(source, RepositoryActions.Pull)]
            : [asked];
    }
}
