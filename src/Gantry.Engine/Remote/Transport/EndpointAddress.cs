using System.Net;
using System.Net.Sockets;

namespace Gantry.Engine.Remote.Transport;

/// <summary>
/// Scheme and host of an endpoint's API. HTTPS, unless plain HTTP was asked for; a loopback host is asked for <c>/v2/</c>, without a
/// credential, over HTTPS and, where it speaks no TLS, over HTTP.
/// </summary>
internal sealed class EndpointAddress(string host, bool plainHttp, Wires wires) : IDisposable
{
    private readonly SemaphoreSlim _finding = new(1);
    private Uri? _found = plainHttp ? At("http", host) : IsLoopback(host) ? null : At("https", host);

    public async ValueTask<Uri> GetAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _found) is { } known) return known;
        await _finding.WaitAsync(cancellationToken);
        try
        {
            return _found ??= await FindAsync(cancellationToken);
        }
        finally
        {
            _finding.Release();
        }
    }

    public void Dispose() => _finding.Dispose();

    private static Uri At(string scheme, string host) =>
        new($"{scheme}://{(host == ImageName.DockerHub ? "registry-1.docker.io" : host)}/");

    private static bool IsLoopback(string host)
    {
        var name = At("https", host).IdnHost;
        return name == "localhost" || (IPAddress.TryParse(name, out var address) && AddressReach.Of(address) == Reach.Loopback);
    }

    private async Task<Uri> FindAsync(CancellationToken cancellationToken)
    {
        var secure = At("https", host);
        try
        {
            using var answer = await ProbeAsync(secure, cancellationToken);
            return secure;
        }
        catch (EngineException noTls) when (noTls.Fault == EngineFault.Network && !IsRefusedByAll(noTls))
        {
            var plain = At("http", host);
            try
            {
                using var answer = await ProbeAsync(plain, cancellationToken);

                // Go's servers answer HTTP on a TLS port with 400: then the trouble with TLS is the news.
                if (answer.StatusCode != HttpStatusCode.BadRequest) return plain;
            }
            catch (EngineException also) when (also.Fault == EngineFault.Network)
            {
                // Neither; what TLS said is the better explanation.
            }

            throw;
        }
    }

    private async Task<HttpResponseMessage> ProbeAsync(Uri at, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(at, "/v2/"));
        return await wires.SendAsync(request, cancellationToken);
    }

    /// <summary>Nobody listens on a port that was named: over HTTP there would be nobody either.</summary>
    private bool IsRefusedByAll(EngineException failed) =>
        host.LastIndexOf(':') > host.LastIndexOf(']') && failed.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionRefused };
}
