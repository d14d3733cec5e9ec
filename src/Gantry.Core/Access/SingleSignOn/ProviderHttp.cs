using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Protocols;

namespace Gantry.Core.Access;

/// <summary>
/// Requests to one provider: at most <see cref="MaxBytes"/> and <see cref="Limit"/> an answer, no redirects, no cookies,
/// and only to addresses of the kind the issuer is (https; http on a loopback address for an issuer there).
/// </summary>
internal sealed class ProviderHttp : IDocumentRetriever, IDisposable
{
    /// <summary>A directory with a hundred keys, or a person with thousands of groups.</summary>
    public const int MaxBytes = 256 * 1024;

    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly HttpClient _client;
    private readonly bool _loopback;

    /// <param name="caFile">Empty: the system's authorities.</param>
    public ProviderHttp(Uri issuer, string caFile)
    {
        _loopback = issuer.Scheme == Uri.UriSchemeHttp;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !issuer.IsLoopback,
            // Its address may change while the registry runs.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (caFile.Length > 0) handler.SslOptions.CertificateChainPolicy = AuthorityFile.PolicyOf(caFile);

        _client = new HttpClient(handler) { Timeout = Limit, MaxResponseContentBufferSize = MaxBytes };
    }

    public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Allowed(address));
        var (good, document) = await SendAsync(request, cancel);
        return good ? document.GetRawText() : throw Fault("refuses to say where its endpoints and keys are");
    }

    /// <summary>Whether the status says success, and the object in the body; it has at most 64 levels.</summary>
    /// <exception cref="SignOnException">No answer, or none that is a JSON object of a bearable size.</exception>
    public async Task<(bool Good, JsonElement Body)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
            var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            var status = (int)response.StatusCode;
            if (status >= 500)
                throw new SignOnException(SignOnFault.Unreachable, $"the provider is out of order: it answers {status}");
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? (response.IsSuccessStatusCode, document.RootElement.Clone())
                : throw Fault("answers with something else than an object");
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw Fault("answers with too much", e);
        }
        catch (Exception e) when (
            e is HttpRequestException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new SignOnException(SignOnFault.Unreachable, "the provider does not answer; try again later", e);
        }
        catch (JsonException e)
        {
            throw Fault("does not answer in JSON", e);
        }
    }

    /// <summary>An address that the provider's directory names.</summary>
    public Uri Allowed(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (_loopback && url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
            ? url
            : throw Fault("lacks an endpoint, or names one that is not https");

    public void Dispose() => _client.Dispose();

    private static SignOnException Fault(string what, Exception? inner = null) =>
        new(SignOnFault.Answer, $"the provider {what}", inner);
}
