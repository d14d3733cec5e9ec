using System.Net;
using System.Net.Sockets;

namespace Gantry.Engine.Remote.Transport;

/// <summary>
/// Opens connections for one handler, and sees the addresses that a name stands for at that moment: a check of the name alone could be
/// talked round by whoever runs the name's DNS.
/// </summary>
/// <param name="dialing">The network.</param>
/// <param name="proxy">Who says which connections are a proxy's and not the target's.</param>
/// <param name="allowed">The nearest address that a connection may go to, asked at each one.</param>
/// <param name="seen">Told the farthest of the addresses of each name that was resolved.</param>
internal sealed class GuardedDialer(Dialing dialing, IWebProxy proxy, TimeProvider time, Func<Reach> allowed, Action<Reach>? seen = null)
{
    /// <summary>What one address gets while there are others left to try: a broken IPv6 route must not use up all patience.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (to, target) = (context.DnsEndPoint, context.InitialRequestMessage.RequestUri!);
        var viaProxy = proxy.GetProxy(target) is { } between && between.Port == to.Port && string.Equals(between.IdnHost, to.Host, StringComparison.OrdinalIgnoreCase);
        var addresses = await ResolveAsync(to.Host, cancellationToken);

        // The proxy is the user's own choice, wherever it is; what stands behind it is resolved there, and only literals can be checked here.
        if (!viaProxy)
        {
            if (addresses.Length > 0) seen?.Invoke(addresses.Min(AddressReach.Of));
            addresses = [.. addresses.Where(address => AddressReach.Of(address) is var reach && (reach == Reach.Public || reach <= allowed()))];
            if (addresses.Length == 0)
                throw new EngineException(EngineFault.Refused, $"{RemoteText.Shown(to.Host, 260)} is an address of this machine, of a private network or of none, where no registry outside of it may send us");
        }

        return await ConnectAsync(addresses, to.Port, cancellationToken);
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host, out var literal) ? [literal] : await dialing.Resolve(host, cancellationToken);

    private async Task<Stream> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        if (addresses.Length == 0) throw new SocketException((int)SocketError.HostNotFound);
        for (var at = 0; ; at++)
        {
            var isLast = at == addresses.Length - 1;
            using var patience = new CancellationTokenSource(isLast ? Timeout.InfiniteTimeSpan : Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            try
            {
                return await dialing.Connect(new IPEndPoint(addresses[at], port), either.Token);
            }
            catch (Exception failed) when (!isLast && !cancellationToken.IsCancellationRequested && failed is SocketException or OperationCanceledException)
            {
                // The next address; the last one's failure is the one that is told.
            }
        }
    }
}
