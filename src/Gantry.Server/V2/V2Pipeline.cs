using Gantry.Core.Access;
using Gantry.Core.Removal;
using Gantry.Oci;
using Gantry.Server.Auth;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Gantry.Server.V2;

/// <summary>
/// What happens to every request under <c>/v2</c>: (1) path understood, (2) names checked, before anything is built from
/// them, (3) route found, (4) access checked, before any byte of a body is read, (5) endpoint. Whatever fails on the way
/// is rendered by <see cref="OciErrorRendering"/> around it.
/// </summary>
internal sealed class V2Pipeline(RequestAccess access, IOptions<RemovalOptions> removal)
{
    public async Task InvokeAsync(HttpContext http)
    {
        var response = http.Response;
        response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";

        // 1.
        var rest = http.Request.Path.Value!["/v2".Length..];
        if (!V2Path.TryParse(rest, out var path))
            throw new OciException(OciErrorCode.Unsupported, "there is no such endpoint", status: StatusCodes.Status404NotFound);

        // Before anything can refuse the request: a client that sends its body at once gets to read the refusal only if
        // the rest of the body is taken and dropped, which Kestrel does for a few seconds, and never past the limit.
        if (path.Resource is V2Resource.Uploads or V2Resource.Upload) LiftBodyLimit(http);

        // 2.
        var repository = default(RepositoryName);
        if (path.Name.Length > 0 && !RepositoryName.TryParse(path.Name, out repository))
        {
            throw new OciException(OciErrorCode.NameInvalid,
                "a name is lowercase letters and digits, with . _ __ or - between them, in components joined by /, "
                + $"at most {RepositoryName.MaxLength} characters");
        }

        // 3.
        var route = V2Routes.Find(http.Request.Method, path.Resource);
        if (route is null || (route.Removes && !removal.Value.Enabled))
        {
            response.Headers.Allow = V2Routes.Allowed(path.Resource, removal.Value.Enabled);
            throw new OciException(OciErrorCode.Unsupported, route is null
                ? $"{http.Request.Method} is not known here" : "this registry does not delete (Removal:Enabled)");
        }

        // 4.
        var caller = path.Resource switch
        {
            V2Resource.Base => await access.RequireBaseAsync(http),
            V2Resource.Catalog => await access.RequireCatalogAsync(http),
            _ => await access.RequireAsync(http, repository, route.Needs),
        };

        // 5.
        await route.Handler(new V2Request(http, path, repository, caller));
    }

    // A layer has any size; the limit for everything else does not hold here.
    private static void LiftBodyLimit(HttpContext http)
    {
        var limit = http.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (limit is { IsReadOnly: false }) limit.MaxRequestBodySize = null;
    }
}
