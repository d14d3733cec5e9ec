using System.Text.Json;
using Gantry.Core.Browse;
using Gantry.Oci;
using Gantry.Oci.Serialization;

namespace Gantry.Server.V2;

internal static class ReferrersEndpoint
{
    /// <summary>
    /// Lists what refers to a digest (distribution-spec, "Listing Referrers"): an index, empty where nothing is known of
    /// the digest or of the repository. A 404 would tell clients that this registry knows no referrers at all.
    /// </summary>
    public static async Task GetAsync(V2Request request)
    {
        var artifactType = request.QueryText("artifactType");
        var (page, more) = await request.Service<Referrers>()
            .PageAsync(request.Repository, request.Digest, artifactType, request.QueryText("last"), request.Aborted);

        if (artifactType is not null) request.Response.Headers["OCI-Filters-Applied"] = "artifactType";
        if (more)
        {
            (string, string) last = ("last", page[^1].Digest.ToString());
            request.LinkNext(artifactType is null ? [last] : [("artifactType", artifactType), last]);
        }

        request.Response.Headers.ContentType = MediaTypes.OciIndex;
        if (HttpMethods.IsHead(request.Request.Method)) return;

        await using var writer = new Utf8JsonWriter(request.Response.BodyWriter);
        OciJson.WriteIndex(writer, page);
    }
}
