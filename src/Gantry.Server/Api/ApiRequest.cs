using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Server.Auth;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gantry.Server.Api;

/// <summary>A request under <c>/api</c> whose caller may make it: what every endpoint gets, and how it answers.</summary>
internal sealed class ApiRequest(HttpContext http, LoggedIn login)
{
    public const string Root = "/api/v1";

    /// <summary>The largest page of a listing, and the usual one.</summary>
    public const int MaxPage = 1000, UsualPage = 100;

    public HttpContext Http => http;

    public LoggedIn Login => login;

    /// <summary>Who asks.</summary>
    public Account Account => login.Account;

    public Actor Actor => RequestAccess.ActorOf(http, Account.Name.ToString());

    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>The path's namespace; it exists, and the caller may see it.</summary>
    public NamespaceInfo Namespace { get; set; } = null!;

    public NamespaceName NamespaceName => NamespaceName.Parse(Namespace.Name);

    /// <summary>The path's account; it exists.</summary>
    public AccountRow Subject { get; set; } = null!;

    public AccountName SubjectName => AccountName.Parse(Subject.Name);

    /// <summary>The path's webhook; it exists, and the caller keeps it.</summary>
    public Webhook Webhook { get; set; } = null!;

    public T Service<T>()
        where T : notnull => http.RequestServices.GetRequiredService<T>();

    /// <summary>A part of the path.</summary>
    public string Route(string name) => (string)http.Request.RouteValues[name]!;

    /// <summary>The number in the path; 0, which nothing has, where it is none.</summary>
    public long RouteId => RouteNumber("id");

    /// <inheritdoc cref="RouteId"/>
    public long RouteNumber(string name) => TryParseId(Route(name), out var number) ? number : 0;

    /// <summary>Whether this is the caller's password; guesses count like those of any other login.</summary>
    public async Task<bool> IsOwnPasswordAsync(string password) =>
        await Service<Logins>().TryLoginAsync(Account.Name.ToString(), password, RequestAccess.ClientAddress(http), Actor, Aborted)
            is { Method: LoginMethod.Password };

    public Task<BodyFields> BodyAsync() => BodyFields.ReadAsync(http);

    /// <summary>A query parameter; null where it is missing or empty. Control characters are in no name of anything here.</summary>
    public string? Query(string name)
    {
        var text = http.Request.Query[name].FirstOrDefault();
        if (string.IsNullOrEmpty(text)) return null;
        return text.Any(char.IsControl) ? throw ApiException.BadRequest(name, "holds a control character") : text;
    }

    /// <summary>A query parameter with a type of its own; null where it is missing or empty.</summary>
    public T? Query<T>(string name, Parser<T> parser, string fault)
        where T : struct =>
        Query(name) is not { } text ? null
        : parser(text, out var value) ? value
        : throw ApiException.BadRequest(name, fault);

    public long? QueryId(string name) => Query<long>(name, TryParseId, "is a whole number");

    public int Limit() => Query<int>("limit", TryParseLimit, $"is a whole number from 1 to {MaxPage}") ?? UsualPage;

    public IResult Ok<T>(T value) => Json(value, StatusCodes.Status200OK);

    /// <summary>One resource, with a weak tag of what is said about it: who has it already gets 304.</summary>
    public IResult One<T>(T value)
    {
        var tag = Tag(value);
        http.Response.Headers.CacheControl = "private, no-cache";
        return Names(http.Request.Headers.IfNoneMatch, tag)
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Json(value, TypeOf<T>());
    }

    /// <summary>One resource, as it is after a change: its tag is what <c>If-Match</c> of the next change names.</summary>
    public IResult Changed<T>(T value)
    {
        Tag(value);
        return Ok(value);
    }

    /// <summary>
    /// Goes on where the caller changes what it has seen, or does not say: <c>If-Match</c> names the tag of the resource as it is now. To be
    /// asked while nobody else can change it. Tags are compared without their W/: they are of all that is said, and nothing else is stored.
    /// </summary>
    /// <exception cref="ApiException">412: somebody changed it meanwhile.</exception>
    public void RequireMatch<T>(T value)
    {
        var wanted = http.Request.Headers.IfMatch;
        if (wanted.Count > 0 && !Names(wanted, TagOf(value)))
            throw new ApiException(StatusCodes.Status412PreconditionFailed, "this was changed since it was read: read it again");
    }

    public IResult Created<T>(string path, T value)
    {
        http.Response.Headers.Location = $"{http.Request.PathBase}{Root}{path}";
        return Json(value, StatusCodes.Status201Created);
    }

    public static IResult NoContent() => TypedResults.NoContent();

    /// <summary>A page, of one row more than <paramref name="limit"/> where there are more.</summary>
    /// <param name="key">What the next page comes after, or <paramref name="direction"/> before.</param>
    public Page<T> Page<TRow, T>(
        IReadOnlyList<TRow> rows, int limit, Func<TRow, T> reply, Func<TRow, string> key, string direction = "after")
    {
        if (rows.Count <= limit) return new Page<T>([.. rows.Select(reply)], null);
        var query = new QueryBuilder(http.Request.Query
            .Where(pair => pair.Key != direction && pair.Key != "limit").SelectMany(pair => pair.Value, (pair, value) => KeyValuePair.Create(pair.Key, value ?? "")))
        {
            { "limit", $"{limit}" }, { direction, key(rows[limit - 1]) },
        };
        var next = $"{http.Request.PathBase.ToUriComponent()}{http.Request.Path.ToUriComponent()}{query}";
        http.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        return new Page<T>([.. rows.Take(limit).Select(reply)], next);
    }

    /// <summary>A listing that is short enough to be read whole, in the order of its numbers.</summary>
    public Page<T> PageOf<TRow, T>(IReadOnlyList<TRow> all, Func<TRow, T> reply, Func<TRow, long> id)
    {
        var (limit, after) = (Limit(), QueryId("after") ?? 0);
        return Page([.. all.Where(row => id(row) > after).Take(limit + 1)], limit, reply, row => $"{id(row)}");
    }

    private string Tag<T>(T value)
    {
        var tag = TagOf(value);
        http.Response.Headers.ETag = $"W/\"{tag}\"";
        return tag;
    }

    private static string TagOf<T>(T value) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(value, TypeOf<T>())).AsSpan(0, 16));

    private static bool Names(StringValues header, string tag) => EntityTagHeaderValue.TryParseList(header, out var named)
        && named.Any(entry => entry.Equals(EntityTagHeaderValue.Any) || entry.Tag.AsSpan().Trim('"').SequenceEqual(tag));

    // Secrets among them, and lists of who may do what: no cache keeps any.
    private IResult Json<T>(T value, int status)
    {
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(value, TypeOf<T>(), statusCode: status);
    }

    private static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)ApiJson.Wire.GetTypeInfo(typeof(T))!;

    private static bool TryParseId(string text, out long id) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    private static bool TryParseLimit(string text, out int limit) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is > 0 and <= MaxPage;
}
