using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Oci;
using Gantry.Server.Auth;
using Microsoft.AspNetCore.Http.Features;

namespace Gantry.Server.Ui;

/// <summary>One request for a page: who visits, and what of its path is known to be there for him.</summary>
public sealed class Visit(HttpContext http, LoggedIn? login)
{
    private readonly Uri _root = new(http.RequestServices.GetRequiredService<PublicAddress>().UrlOf(http, "/"));

    public HttpContext Http => http;

    /// <summary>Null: nobody in particular.</summary>
    public LoggedIn? Login => login;

    public Account? Account => login?.Account;

    public string? Name => login?.Account.Name.ToString();

    public bool IsAdministrator => login?.Account.IsAdministrator == true;

    public Actor Actor => RequestAccess.ActorOf(http, Name);

    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>The path's namespace, of pages that need to see one.</summary>
    public NamespaceInfo Namespace { get; internal set; } = null!;

    /// <summary>Whether the visitor manages <see cref="Namespace"/>, or the one of <see cref="Repository"/>.</summary>
    public bool Manages { get; internal set; }

    /// <summary>The path's repository, of pages that need one; it need not exist.</summary>
    public RepositoryName Repository { get; internal set; }

    /// <summary>The tag or the digest that the path names behind the repository; null where it has none.</summary>
    public Reference? Reference { get; internal set; }

    /// <summary>Null where the path has none.</summary>
    public TagName? Tag => Reference?.Tag;

    /// <summary>Null where the path has none.</summary>
    public Digest? Digest => Reference?.Digest;

    /// <summary>What the visitor may do in <see cref="Repository"/>.</summary>
    public RepositoryActions Granted { get; internal set; }

    /// <summary>The path's webhook, of pages that need one.</summary>
    public Webhook Webhook { get; internal set; } = null!;

    /// <summary>What the page before this one left to be told.</summary>
    public string? Notice { get; internal set; }

    /// <summary>The path below which all pages are, as the browser sees it: a slash, or more behind some proxies.</summary>
    public string Root => _root.AbsolutePath;

    /// <summary>What stands before the repository in a reference: <c>registry.example.com</c>, <c>localhost:5000</c>.</summary>
    public string Host => _root.Authority;

    public bool IsPlainHttp => _root.Scheme == Uri.UriSchemeHttp;

    /// <summary>Docker and <c>gantry</c> take http from such hosts without being told to.</summary>
    public bool IsLoopback => _root.IsLoopback;

    /// <summary>This page's own path and query, as the browser sees them.</summary>
    public string Here => Root + http.Request.Path.ToUriComponent().TrimStart('/') + http.Request.QueryString.ToUriComponent();

    /// <summary>The status with which a form of the page was refused; null: none was.</summary>
    public int? RefusedWith { get; internal set; }

    public static Visit Of(HttpContext http) => http.Features.GetRequiredFeature<Visit>();

    public T Service<T>()
        where T : notnull => http.RequestServices.GetRequiredService<T>();

    /// <summary>A value of the query; null where it is missing, empty, or holds what no name does.</summary>
    public string? Query(string name) =>
        http.Request.Query[name].FirstOrDefault() is { Length: > 0 } text && !text.Any(char.IsControl) ? text : null;

    /// <summary>A number of the query; null where it is none.</summary>
    public long? QueryId(string name) => long.TryParse(Query(name), System.Globalization.NumberStyles.None, null, out var id) ? id : null;

    /// <summary>Sends the browser to another page, with GET.</summary>
    /// <param name="path">Below <see cref="Root"/>, without a slash before it.</param>
    /// <param name="notice">To be told there, once.</param>
    public void See(string path, string? notice = null)
    {
        if (notice is not null) Service<Notices>().Leave(this, notice);
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = Root + path;
    }

    /// <summary>The address of <see cref="Root"/>; cookies are kept to its path.</summary>
    internal Uri RootAddress => _root;
}
