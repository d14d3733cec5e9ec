using System.Net;
using System.Text.Json;
using Gantry.Oci;

namespace Gantry.Server.Tests.V2;

/// <summary>A listing followed to its end by its <c>Link</c>s, as a client does.</summary>
internal static class Pages
{
    /// <returns>The elements of each page's array, in order.</returns>
    public static async Task<List<List<JsonElement>>> FollowAsync(this HttpClient client, string path, string property)
    {
        var pages = new List<List<JsonElement>>();
        for (string? next = path; next is not null; Assert.True(pages.Count < 1000, "the links never end"))
        {
            using var page = await client.GetAsync(next);
            page.AssertStatus(HttpStatusCode.OK);
            using var body = JsonDocument.Parse(await page.Content.ReadAsByteArrayAsync());
            pages.Add([.. body.RootElement.GetProperty(property).EnumerateArray().Select(element => element.Clone())]);
            next = page.NextLink();
        }

        return pages;
    }

    /// <summary>All names of a listing of names, its pages one after the other.</summary>
    public static async Task<List<string>> FollowNamesAsync(this HttpClient client, string path, string property) =>
        [.. (await client.FollowAsync(path, property)).SelectMany(page => page).Select(name => name.GetString()!)];

    /// <summary>The target of <c>Link: &lt;url&gt;; rel="next"</c>; null where there is none.</summary>
    public static string? NextLink(this HttpResponseMessage response)
    {
        if (response.RawHeader("Link") is not { } link) return null;
        Assert.StartsWith("</v2/", link, StringComparison.Ordinal);
        Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
        return link[1..link.IndexOf('>', StringComparison.Ordinal)];
    }

    public static async Task<JsonElement> GetJsonAsync(this HttpClient client, string path, string contentType = "application/json")
    {
        using var answer = await client.GetAsync(path);
        answer.AssertStatus(HttpStatusCode.OK);
        Assert.Equal(contentType, answer.RawHeader("Content-Type"));
        using var body = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync());
        return body.RootElement.Clone();
    }

    /// <summary>The descriptors of a referrers list, by digest.</summary>
    public static async Task<Dictionary<string, JsonElement>> ReferrersAsync(this HttpClient client, string repository, Digest subject)
    {
        var index = await client.GetJsonAsync($"/v2/{repository}/referrers/{subject}", MediaTypes.OciIndex);
        Assert.Equal(2, index.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(MediaTypes.OciIndex, index.GetProperty("mediaType").GetString());
        return index.GetProperty("manifests").EnumerateArray()
            .ToDictionary(entry => entry.GetProperty("digest").GetString()!, StringComparer.Ordinal);
    }
}
