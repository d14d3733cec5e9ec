using System.Globalization;
using System.Text.Json.Serialization;
using Gantry.Core.Browse;
using Gantry.Oci;
using Gantry.Server.Auth;

namespace Gantry.Server.Search;

/// <summary>
/// <c>docker search HOST/words</c>: the search of docker's first registry protocol, the one part of it that clients still speak. Docker asks
/// <c>/v1/_ping</c> first and then sends name and password, over https alone; podman sends the question at once.
/// Whoever may list the catalog may search, and finds what they may pull.
/// </summary>
internal static class DockerSearch
{
    /// <summary>What docker asks for at most, and without a limit of its own; bounds the answer.</summary>
    private const int Most = 100, Usual = 25;

    private const int LongestWords = 1000;

    public static void MapDockerSearch(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/v1/_ping", Ping);
        endpoints.MapGet("/v1/search", SearchAsync);
    }

    // Standalone: docker's own registry was once one of several with a common index.
    private static IResult Ping(HttpContext http)
    {
        http.Response.Headers["X-Docker-Registry-Standalone"] = "True";
        return TypedResults.Json(new PingReply(true), SearchJson.Default.PingReply);
    }

    private static async Task<IResult> SearchAsync(HttpContext http, RequestAccess access, RepositoryListing repositories)
    {
        var caller = await access.RequireCatalogAsync(http);
        var words = Query(http, "q") ?? "";
        if (words.Length > LongestWords || words.Any(char.IsControl)) throw Bad($"q has at most {LongestWords} characters, none of them a control character");
        var limit = Query(http, "n") is { } text
            ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0
                ? (int)Math.Min(n, Most) : throw Bad("n is a whole number, 1 or more")
            : Usual;

        var found = await repositories.PageAsync(caller, new RepositoryQuery(words), null, limit, http.RequestAborted);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(
            new SearchReply(words, found.Items.Count, [.. found.Items.Select(repository => new FoundReply($"{repository.Name}", Describe(repository)))]),
            SearchJson.Default.SearchReply);
    }

    private static string Describe(RepositoryInfo repository) => repository is { Tags: { } tags, PushedAt: { } at }
        ? string.Create(CultureInfo.InvariantCulture, $"{tags} {(tags == 1 ? "tag" : "tags")}, last push {at.UtcDateTime:yyyy-MM-dd}") : "";

    private static string? Query(HttpContext http, string name) => http.Request.Query[name].FirstOrDefault() is { Length: > 0 } text ? text : null;

    private static OciException Bad(string detail) => new(OciErrorCode.Unsupported, detail, StatusCodes.Status400BadRequest);
}

internal sealed record PingReply([property: JsonPropertyName("standalone")] bool Standalone);

/// <summary>As docker's index answered; nothing here has stars, or is official.</summary>
internal sealed record SearchReply(
    [property: JsonPropertyName("query")] string Query,
    [property: JsonPropertyName("num_results")] int Count,
    [property: JsonPropertyName("results")] IReadOnlyList<FoundReply> Results);

internal sealed record FoundReply(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("description")] string Description)
{
    [JsonPropertyName("star_count")] public int Stars => 0;

    [JsonPropertyName("is_official")] public bool IsOfficial => false;

    [JsonPropertyName("is_automated")] public bool IsAutomated => false;
}

[JsonSerializable(typeof(PingReply))]
[JsonSerializable(typeof(SearchReply))]
internal sealed partial class SearchJson : JsonSerializerContext;
