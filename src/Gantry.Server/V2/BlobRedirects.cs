using System.Net;
using Gantry.Oci.Http;
using Gantry.Server.Auth;
using Gantry.Storage;

namespace Gantry.Server.V2;

/// <summary>Which clients may be sent to the store for a blob's bytes.</summary>
/// <param name="Allowed">Empty: everybody's.</param>
/// <param name="Refused">Wins: an air-gapped network inside an allowed one.</param>
internal sealed record RedirectNetworks(ClientNetworks Allowed, ClientNetworks Refused)
{
    public bool Allow(IPAddress client) => (Allowed.IsEmpty || Allowed.Contains(client)) && !Refused.Contains(client);
}

/// <summary>Sends clients to the store itself where it has a place for that (PROTOCOL, redirects).</summary>
internal sealed class BlobRedirects(IBlobStore store, RedirectNetworks networks)
{
    /// <summary>
    /// Answers with 307, to which a client comes with the same <c>Range</c> and without its credential for us; false: nothing
    /// is answered, the bytes have to come from here.
    /// </summary>
    /// <remarks>
    /// Several ranges, and a range that depends on our entity tag, are understood here alone: stores answer them with the
    /// whole blob.
    /// </remarks>
    public async ValueTask<bool> TryAnswerAsync(HttpContext http, BlobLocation location)
    {
        var headers = http.Request.Headers;
        if (headers.IfRange.Count > 0 || headers.Range.ToString().Contains(',', StringComparison.Ordinal)) return false;
        if (!networks.Allow(RequestAccess.ClientAddress(http))) return false;
        if (await store.RedirectAsync(location, http.RequestAborted) is not { } url) return false;

        var response = http.Response;
        response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        response.Headers.Location = url.AbsoluteUri;
        // It is for this client and for a few minutes. The entity tag is the blob's, of which nothing is in this answer.
        response.Headers.CacheControl = "no-store";
        response.Headers.Remove("ETag");
        response.ContentLength = 0;
        return true;
    }
}
