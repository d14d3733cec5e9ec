using System.Net.Http.Headers;
using System.Text.Json;

namespace Gantry.Core.Access;

/// <summary>The keys of an issuer cannot be had; the message says why, for the log.</summary>
internal sealed class IssuerUnreachableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Fetches an issuer's keys: within <see cref="Timeout"/> in all, at most <see cref="MaxBytes"/> a document, no redirects,
/// and from nowhere but the configured URL or, by discovery, the issuer's own host.
/// </summary>
internal sealed class IssuerDownload : IDisposable
{
    public const int MaxBytes = 256 * 1024;
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private const int MaxBearerTokenBytes = 16 * 1024;

    private readonly IssuerOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    public IssuerDownload(IssuerOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxConnectionsPerServer = 2,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (options.CaFile.Length > 0) handler.SslOptions.CertificateChainPolicy = AuthorityFile.PolicyOf(options.CaFile);

        _client = new HttpClient(handler) { MaxResponseContentBufferSize = MaxBytes, Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    /// <exception cref="IssuerUnreachableException">Whatever the reason.</exception>
    public async Task<IssuerKeySet> FetchAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var address = _options.JwksUri.Length > 0 ? new Uri(_options.JwksUri) : await DiscoverAsync(either.Token);
            using var document = await GetAsync(address, either.Token);
            return IssuerKeySet.Read(document.RootElement) is { Count: > 0 } keys
                ? keys
                : throw new IssuerUnreachableException($"{address} holds no key that may verify a signature");
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IssuerUnreachableException($"no answer within {Timeout.TotalSeconds} s", e);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or IOException or UnauthorizedAccessException)
        {
            throw new IssuerUnreachableException(e.Message, e);
        }
    }

    public void Dispose() => _client.Dispose();

    // OpenID Connect Discovery 1.0, 4.
    private async Task<Uri> DiscoverAsync(CancellationToken cancellationToken)
    {
        var own = new Uri(_options.Issuer);
        var address = new Uri(_options.Issuer.TrimEnd('/') + "/.well-known/openid-configuration");
        using var document = await GetAsync(address, cancellationToken);
        var (issuer, keys) = (Text("issuer"), Text("jwks_uri"));
        if (issuer != _options.Issuer) throw new IssuerUnreachableException($"{address} is another issuer's");
        if (keys is null || !IssuerOptions.IsFetchable(keys)) throw new IssuerUnreachableException($"{address} names no https URL of keys");
        var found = new Uri(keys);
        return found.Scheme == own.Scheme && found.Authority == own.Authority
            ? found
            : throw new IssuerUnreachableException($"{address} names keys on another host, {found.Authority}: if that is right, set JwksUri");

        string? Text(string name) =>
            document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    private async Task<JsonDocument> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/jwk-set+json"));
        if (_options.BearerTokenFile.Length > 0)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await BearerTokenAsync(cancellationToken));

        // Read to its end here: so the limits of size and time hold for the body too.
        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        if (response.StatusCode != System.Net.HttpStatusCode.OK)
            throw new IssuerUnreachableException($"{address} answers {(int)response.StatusCode} (redirects are not followed)");
        return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken), new JsonDocumentOptions { MaxDepth = 16 });
    }

    private async Task<string> BearerTokenAsync(CancellationToken cancellationToken)
    {
        var file = new FileInfo(_options.BearerTokenFile);
        if (file.Length > MaxBearerTokenBytes) throw new IOException("BearerTokenFile is too large");
        var text = (await File.ReadAllTextAsync(file.FullName, cancellationToken)).Trim();
        return text.Length > 0 && text.All(c => c is > ' ' and <= '~') ? text : throw new IOException("BearerTokenFile holds no token");
    }
}
