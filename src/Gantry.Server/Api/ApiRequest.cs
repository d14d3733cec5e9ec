using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Oci;
using Gantry.Server.Auth;
using Gantry.Server.Limits;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gantry.Server.Api;

/// <summary>A request under <c>/api</c> whose caller may make it: what every endpoint gets, and how it answers.</summary>
/// <param name="http">The request.</param>
/// <param name="login">Null: nobody in particular; only open routes are asked by such.</param>
/// <param name="caller">What the login may do in repositories.</param>
internal sealed class ApiRequest(HttpContext http, LoggedIn? login, Caller caller)
{
    public const string Root = "/api/v1";

    internal const string DigestFault = "is sha256: or sha512: and its lowercase hex";

    /// <summary>The largest page of a listing, and the usual one.</summary>
    public const int MaxPage = 1000, UsualPage = 100;

    public HttpContext Http => http;

    /// <summary>Null: nobody in particular.</summary>
    public LoggedIn? LoginOrNone => login;

    public LoggedIn Login => login ?? throw new InvalidOperationException("an open route asks for an account");

    /// <summary>Who asks.</summary>
    public Account Account => Login.Account;

    public Caller Caller => caller;

    public Actor Actor => RequestAccess.ActorOf(http, login?.Account.Name.ToString());

    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>The path's namespace; it exists, and the caller may see it.</summary>
    public NamespaceInfo Namespace { get; set; } = null!;

    public NamespaceName NamespaceName => NamespaceName.Parse(Namespace.Name);

    /// <summary>The path's account; it exists.</summary>
    public AccountRow Subject { get; set; } = null!;

    public AccountName SubjectName => AccountName.Parse(Subject.Name);

    /// <summary>The path's webhook; it exists, and the caller keeps it.</summary>
    public Webhook Webhook { get; set; } = null!;

    /// <summary>The path's repository, which the caller may pull from; it need not exist.</summary>
    public RepositoryName Repository { get; set; }

    /// <summary>What the query names beside it, or the same; the caller may pull from it.</summary>
    public RepositoryName OtherRepository { get; set; }

    public T Service<T>()
        where T : notnull => http.RequestServices.GetRequiredService<T>();

    /// <summary>A part of the path.</summary>
    public string Route(string name) => (string)http.Request.RouteValues[name]!;

    /// <summary>The number in the path; 0, which nothing has, where it is none.</summary>
    public long RouteId => RouteNumber("id");

    /// <inheritdoc cref="RouteId"/>
    public long RouteNumber(string name) => TryParseId(Route(name), out var number) ? number : 0;

    /// <summary>The path's tag.</summary>
    public TagName Tag => TagName.TryParse(Route("tag"), out var tag)
        ? tag : throw ApiException.BadRequest("tag", "is a letter, digit or underscore, then up to 127 of these, dots and dashes");

    /// <summary>The path's digest.</summary>
    public Digest Digest => Digest.TryParse(Route("digest"), out var digest) ? digest : throw ApiException.BadRequest("digest", DigestFault);

    /// <summary>The path's tag or digest.</summary>
    public Reference Reference => Reference.TryParse(Route("reference"), out var reference)
        ? reference : throw ApiException.BadRequest("reference", "is neither a tag nor a digest");

    /// <summary>One text, whether it is not there or not to be seen.</summary>
    public ApiException NoRepository(string? name = null) =>
        ApiException.NotFound($"there is no repository {name ?? $"{Repository}"}, or none that {Who} may pull from");

    public ApiException NoManifest() => ApiException.NotFound($"{Repository} has no manifest {Route(http.Request.RouteValues.ContainsKey("digest") ? "digest" : "reference")}");

    public ApiException NoTag() => ApiException.NotFound($"{Repository} has no tag {Route("tag")}");

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

    /// <summary>A value of an enumeration, by its name in whatever case; null where it is missing or empty.</summary>
    public T? QueryWord<T>(string name)
        where T : struct, Enum
    {
        if (Query(name) is not { } text) return null;
        foreach (var value in Enum.GetValues<T>())
        {
            if (string.Equals(text, value.ToString(), StringComparison.OrdinalIgnoreCase)) return value;
        }

        throw ApiException.BadRequest(name, $"is one of {string.Join(", ", Enum.GetNames<T>().Select(word => word.ToLowerInvariant()))}");
    }

    public bool QueryFlag(string name) => Query<bool>(name, bool.TryParse, "is true or false") ?? false;

    public DateTimeOffset? QueryTime(string name) => Query<DateTimeOffset>(name, BodyFields.TryParseTime, $"is {BodyFields.TimeForm}");

    public int Limit() => Query<int>("limit", TryParseLimit, $"is a whole number from 1 to {MaxPage}") ?? UsualPage;

    public IResult Ok<T>(T value) => Json(value, StatusCodes.Status200OK);

    /// <summary>One resource, with a weak tag of what is said about it: who has it already gets 304.</summary>
    public IResult One<T>(T value)
    {
        var tag = Mark(value);
        http.Response.Headers.CacheControl = "private, no-cache";
        return Names(http.Request.Headers.IfNoneMatch, tag)
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Json(value, TypeOf<T>());
    }

    /// <summary>One resource, as it is after a change: its tag is what <c>If-Match</c> of the next change names.</summary>
    public IResult Changed<T>(T value)
    {
        Mark(value);
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

    /// <summary>The same where there is nothing: whoever names a tag has seen something.</summary>
    /// <exception cref="ApiException">412: what was there is gone.</exception>
    public void RequireNoMatch()
    {
        if (http.Request.Headers.IfMatch.Count > 0) throw new ApiException(StatusCodes.Status412PreconditionFailed, "this is gone since it was read");
    }

    /// <summary>One resource whose counters run on all the time: its tag is of <paramref name="identity"/> alone, and it is always sent.</summary>
    public IResult Counted<T, TIdentity>(T value, TIdentity identity)
    {
        Mark(identity);
        return Ok(value);
    }

    public IResult Accepted<T>(string path, T value)
    {
        http.Response.Headers.Location = $"{http.Request.PathBase}{Root}{path}";
        return Json(value, StatusCodes.Status202Accepted);
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
        return rows.Count <= limit ? new Page<T>([.. rows.Select(reply)], null)
            : new Page<T>([.. rows.Take(limit).Select(reply)], Next(limit, direction, key(rows[limit - 1])));
    }

    /// <summary>A page of a listing that knows itself where the next one begins.</summary>
    public Page<T> Page<TRow, T>(Listed<TRow> listed, int limit, Func<TRow, T> reply) =>
        new([.. listed.Items.Select(reply)], NextOrNone(limit, listed.Next));

    /// <summary>The path of the page after a place; null: there is none.</summary>
    public string? NextOrNone(int limit, string? place) => place is null ? null : Next(limit, "after", place);

    /// <summary>A listing that is short enough to be read whole, in the order of its numbers.</summary>
    public Page<T> PageOf<TRow, T>(IReadOnlyList<TRow> all, Func<TRow, T> reply, Func<TRow, long> id)
    {
        var (limit, after) = (Limit(), QueryId("after") ?? 0);
        return Page([.. all.Where(row => id(row) > after).Take(limit + 1)], limit, reply, row => $"{id(row)}");
    }

    /// <summary>Who waits for whom where a route is dear.</summary>
    public string CallerName => CallerTurns.CallerOf(http, login?.Account.Name.ToString());

    private string Who => login?.Account.Name.ToString() ?? "nobody in particular";

    private string Next(int limit, string direction, string place)
    {
        var query = new QueryBuilder(http.Request.Query
            .Where(pair => pair.Key != direction && pair.Key != "limit").SelectMany(pair => pair.Value, (pair, value) => KeyValuePair.Create(pair.Key, value ?? "")))
        {
            { "limit", $"{limit}" }, { direction, place },
        };
        var next = $"{http.Request.PathBase.ToUriComponent()}{http.Request.Path.ToUriComponent()}{query}";
        http.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        return next;
    }

    private string Mark<T>(T value)
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
