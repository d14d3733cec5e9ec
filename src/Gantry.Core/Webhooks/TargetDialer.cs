using System.Net;
using System.Net.Sockets;

namespace Gantry.Core.Webhooks;

/// <summary>No address of the target may be connected to. Says the same of a name that is none: nobody learns here what names there are inside.</summary>
internal sealed class TargetRefusedException() : IOException(
    "the host stands for no address that deliveries may go to: it does not resolve, or is private, which Webhooks:AllowedNetworks would have to name");

/// <summary>
/// Opens the connections of deliveries, and looks at the addresses that a name stands for at that moment and connects to one of those:
/// whoever runs the name's DNS has no second answer to give.
/// </summary>
internal sealed class TargetDialer(TargetAddresses addresses, TimeProvider time)
{
    /// <summary>What one address gets while there are others left to try: a broken IPv6 route must not use up the whole time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Looks names up; tests put a DNS of their own here.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <exception cref="TargetRefusedException">It has no address, or none that is allowed.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var allowed = Array.FindAll(await ResolveAsync(host, cancellationToken), addresses.Allows);
        for (var at = 0; at < allowed.Length; at++)
        {
            var isLast = at == allowed.Length - 1;
            using var patience = new CancellationTokenSource(isLast ? Timeout.InfiniteTimeSpan : Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            try
            {
                return await ConnectAsync(new IPEndPoint(allowed[at], port), either.Token);
            }
            catch (Exception failed) when (!isLast && !cancellationToken.IsCancellationRequested && failed is SocketException or OperationCanceledException)
            {
                // The next address; the last one's failure is the one that is told.
            }
        }

        throw new TargetRefusedException();
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal)) return [literal];
        try
        {
            return await Resolve(host, cancellationToken);
        }
        catch (SocketException)
        {
            return [];
        }
    }

    private static async Task<Stream> ConnectAsync(IPEndPoint to, CancellationToken cancellationToken)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
