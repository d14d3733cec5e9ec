using Gantry.Core.Access;
using static Gantry.Core.Access.RepositoryActions;

namespace Gantry.Server.V2;

/// <summary>One endpoint: what it answers to, what its caller needs, who answers.</summary>
internal sealed record V2Route(
    string Method, V2Resource Resource, RepositoryActions Needs, Func<V2Request, Task> Handler)
{
    /// <summary>Changes what is stored by removing from it; can be switched off.</summary>
    public bool Removes => Needs.HasFlag(Delete);
}

/// <summary>
/// The whole of <c>/v2</c>, in the order of distribution-spec's table of endpoints. Access is declared here and nowhere
/// else. HEAD is answered by the handler of GET, which sends no body then.
/// </summary>
internal static class V2Routes
{
    public static readonly V2Route[] Table =
    [
        /* end-1  */ new("GET", V2Resource.Base, None, BaseEndpoint.GetAsync),
        /* end-2  */ new("GET", V2Resource.Blob, Pull, BlobEndpoints.GetAsync),
        /* end-3  */ new("GET", V2Resource.Manifest, Pull, ManifestEndpoints.GetAsync),
        /* end-4  */ new("POST", V2Resource.Uploads, Pull | Push, BlobUploadEndpoints.StartAsync),
        /* end-5  */ new("PATCH", V2Resource.Upload, Pull | Push, BlobUploadEndpoints.AppendAsync),
        /* end-6  */ new("PUT", V2Resource.Upload, Pull | Push, BlobUploadEndpoints.CloseAsync),
        /* end-7  */ new("PUT", V2Resource.Manifest, Pull | Push, ManifestEndpoints.PutAsync),
        /* end-8  */ new("GET", V2Resource.Tags, Pull, TagEndpoints.ListAsync),
        /* end-9  */ new("DELETE", V2Resource.Manifest, Delete, ManifestEndpoints.DeleteAsync),
        /* end-10 */ new("DELETE", V2Resource.Blob, Delete, BlobEndpoints.DeleteAsync),
        /* end-12 */ new("GET", V2Resource.Referrers, Pull, ReferrersEndpoint.GetAsync),
        /* end-13 */ new("GET", V2Resource.Upload, Pull | Push, BlobUploadEndpoints.GetAsync),
        /* end-14 */ new("DELETE", V2Resource.Upload, Pull | Push, BlobUploadEndpoints.CancelAsync),
        /* Docker */ new("GET", V2Resource.Catalog, None, CatalogEndpoint.GetAsync),
    ];

    /// <summary>The route that answers; null where the resource does not know the method.</summary>
    public static V2Route? Find(string method, V2Resource resource)
    {
        var asked = HttpMethods.IsHead(method) ? "GET" : method;
        return Array.Find(Table, route => route.Resource == resource && route.Method == asked);
    }

    /// <summary>The value of <c>Allow</c> for a resource.</summary>
    public static string Allowed(V2Resource resource, bool removal)
    {
        var methods = Table.Where(route => route.Resource == resource && (removal || !route.Removes))
            .Select(route => route.Method).ToList();
        if (methods.Contains("GET")) methods.Insert(1, "HEAD");
        return string.Join(", ", methods);
    }
}
