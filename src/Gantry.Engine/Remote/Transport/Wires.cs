using System.Net;

namespace Gantry.Engine.Remote.Transport;

/// <summary>
/// Sends one request over one pool of connections, and turns every way to fail into an <see cref="EngineException"/>:
/// <see cref="EngineFault.Network"/>, or the refusal of an address. Follows nothing, keeps no cookie, decompresses nothing.
/// </summary>
internal sealed class Wires : IDisposable
{
    private readonly HttpMessageInvoker _invoker;
    private readonly RemoteOptions _options;

    /// <param name="allowed">The nearest address that may be connected to.</param>
    /// <param name="seen">Told how far the addresses are that were.</param>
    public Wires(RemoteOptions options, bool skipVerify, string? ca, Func<Reach> allowed, Action<Reach>? seen = null)
    {
        _options = options;
        var proxy = new ProxyButForLoopback(options.Proxy ?? HttpClient.DefaultProxy);
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None,
            Proxy = proxy, ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout, PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            Expect100ContinueTimeout = TimeSpan.FromSeconds(2), MaxResponseHeadersLength = 64,
            SslOptions = TlsTrust.Options(skipVerify || options.SkipVerify, options.CaFile, ca),
            ConnectCallback = new GuardedDialer(options.Dialing, proxy, options.Time, allowed, seen).ConnectAsync,
        });
    }

    /// <summary>Returns with the headers; the body is still to come, and its reader minds its pace. The request is disposed by the answer's owner.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation("User-Agent", "gantry/0.1");
        // Not disposed: a body may still be going out when the answer is there, and it says so to this one.
        var late = new CancellationTokenSource(_options.ResponseTimeout, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        if (request.Content is SizedContent upload) upload.Moving = () => late.CancelAfter(_options.ResponseTimeout);
        var host = RemoteText.Shown(request.RequestUri!.Authority, 260);
        try
        {
            return await _invoker.SendAsync(request, either.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failed) when (failed is OperationCanceledException or HttpRequestException or IOException)
        {
            for (var inner = failed; inner is not null; inner = inner.InnerException)
            {
                if (inner is EngineException own) throw new EngineException(own.Fault, own.Message, own);
            }

            // Its text would show the proxy's address, in which there may be a password.
            if (failed is HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError })
                throw new EngineException(EngineFault.Network, $"the proxy on the way to {host} does not let us through");

            throw new EngineException(EngineFault.Network, failed switch
            {
                OperationCanceledException => $"{host} did not answer within {_options.ResponseTimeout.TotalSeconds:0} seconds",
                HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => $"there is no host called {host}",
                HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } tls => $"no trusted connection to {host}: {Deepest(tls)}",
                HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } away => $"{host} cannot be reached: {Deepest(away)}",
                _ => $"the connection to {host} failed: {Deepest(failed)}",
            }, failed);
        }
        finally
        {
            late.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _invoker.Dispose();

    private static string Deepest(Exception failed) => RemoteText.Shown(failed.GetBaseException().Message, 300);

    /// <summary>The environment's proxies, as everywhere, but this machine is asked directly, as Go's clients do.</summary>
    private sealed class ProxyButForLoopback(IWebProxy inner) : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => inner.Credentials;
            set => inner.Credentials = value;
        }

        public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : inner.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.IsLoopback || inner.IsBypassed(host);
    }
}
