using System.Text.Json;
using Gantry.Core.Browse;
using Gantry.Oci;

namespace Gantry.Server.V2;

internal static class TagEndpoints
{
    /// <summary>
    /// Lists tags (distribution-spec, "Listing Tags"). With <c>n</c> one page and a Link to the next; without it all of
    /// them, sent page by page: the memory of a listing is one page, whatever the repository holds.
    /// </summary>
    public static Task ListAsync(V2Request request)
    {
        var tags = request.Service<TagList>();
        return NameListing.WriteAsync(request, TagList.MaxPage, "tags", writer => writer.WriteString("name", request.Repository.ToString()),
            async (last, limit) => await tags.PageAsync(request.Repository, last, limit, request.Aborted)
                ?? throw new OciException(OciErrorCode.NameUnknown));
    }
}

internal static class CatalogEndpoint
{
    /// <summary>Lists the repositories the caller may read (Docker Registry HTTP API V2, "Catalog").</summary>
    public static Task GetAsync(V2Request request)
    {
        var catalog = request.Service<Catalog>();
        return NameListing.WriteAsync(request, Catalog.MaxPage, "repositories", _ => { },
            (last, limit) => catalog.PageAsync(request.Caller, last, limit, request.Aborted));
    }
}

/// <summary>A listing of names in lexical order, by <c>n</c> and <c>last</c>.</summary>
internal static class NameListing
{
    public static async Task WriteAsync(V2Request request, int maxPage, string property, Action<Utf8JsonWriter> before,
        Func<string?, int, Task<IReadOnlyList<string>>> pageAsync)
    {
        var n = PageSize.Parse(request, maxPage);
        var last = request.QueryText("last");

        // One more than asked for tells whether a Link is due.
        var page = await pageAsync(last, n + 1 ?? maxPage);
        if (n is > 0 and var size && page.Count > size)
            request.LinkNext(("n", $"{size}"), ("last", page[size - 1]));

        request.Response.ContentType = "application/json";
        if (HttpMethods.IsHead(request.Request.Method)) return;

        await using var writer = new Utf8JsonWriter(request.Response.BodyWriter);
        writer.WriteStartObject();
        before(writer);
        writer.WriteStartArray(property);
        foreach (var name in page.Take(n ?? maxPage)) writer.WriteStringValue(name);
        while (n is null && page.Count == maxPage)
        {
            await writer.FlushAsync(request.Aborted);
            await request.Response.BodyWriter.FlushAsync(request.Aborted);
            page = await pageAsync(page[^1], maxPage);
            foreach (var name in page) writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        await writer.FlushAsync(request.Aborted);
    }
}
