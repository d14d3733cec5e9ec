using System.Net;
using Gantry.Core;
using Gantry.Server.Auth;
using Gantry.Storage;
using Gantry.Storage.S3;

namespace Gantry.Server.V2;

/// <summary>Which clients may be sent to the store for a blob's bytes.</summary>
/// <param name="Allowed">Empty: everybody's.</param>
/// <param name="Refused">Wins: an air-gapped network inside an allowed one.</param>
internal sealed record RedirectNetworks(NetworkList Allowed, NetworkList Refused)
{
    public static RedirectNetworks Of(S3Options options) =>
        new(new NetworkList(options.RedirectNetworks), new NetworkList(options.NoRedirectNetworks));

    public static IEnumerable<string> FaultsOf(S3Options options) =>
        FaultsOf(nameof(options.RedirectNetworks), options.RedirectNetworks)
            .Concat(FaultsOf(nameof(options.NoRedirectNetworks), options.NoRedirectNetworks));

    public bool Allow(IPAddress client) => (Allowed.IsEmpty || Allowed.Contains(client)) && !Refused.Contains(client);

    private static IEnumerable<string> FaultsOf(string setting, IEnumerable<string> texts) =>
        texts.Where(text => NetworkList.Parse(text) is null).Select(text => $"Storage:S3:{setting}: '{text}' is neither an address nor a network");
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
