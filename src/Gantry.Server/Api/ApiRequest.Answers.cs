using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gantry.Core.Browse;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gantry.Server.Api;

/// <summary>How an endpoint answers: pages, tags of what is said, places of what is new.</summary>
internal sealed partial class ApiRequest
{
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
}
