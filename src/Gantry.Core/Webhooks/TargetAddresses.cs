using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Webhooks;

/// <summary>
/// Which addresses a delivery may go to: public ones, and those that the settings name. Whoever keeps a webhook chooses its target, and
/// must not reach by it what only this machine reaches.
/// </summary>
internal sealed class TargetAddresses(IOptions<WebhookOptions> options)
{
    private static readonly IPNetwork[] NotPublicV4 =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("100.64.0.0/10"), // behind a carrier's NAT; Alibaba's metadata
        IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("168.63.129.16/32"), // Azure's metadata
        IPNetwork.Parse("169.254.0.0/16"), // link-local, and most clouds' metadata
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.0.0.0/24"), // protocols; Oracle's metadata
        IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("198.51.100.0/24"), IPNetwork.Parse("203.0.113.0/24"), // documentation
        IPNetwork.Parse("192.88.99.0/24"), // relays of 6to4
        IPNetwork.Parse("192.168.0.0/16"), IPNetwork.Parse("198.18.0.0/15"),
        IPNetwork.Parse("224.0.0.0/3"), // multicast, reserved, broadcast
    ];

    // All that is given out; whatever else there is (loopback, link-local, unique local, multicast) lies outside of it.
    private static readonly IPNetwork GlobalV6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] NotPublicV6 =
    [
        IPNetwork.Parse("2001::/23"), // protocols; Teredo, which hides the address within
        IPNetwork.Parse("2001:db8::/32"), IPNetwork.Parse("3fff::/20"), // documentation
    ];

    // Where an IPv4 address lies in an IPv6 one, and whoever routes it goes there: NAT64 and 6to4.
    private static readonly (IPNetwork Network, int Offset)[] Embedding = [(IPNetwork.Parse("64:ff9b::/96"), 12), (IPNetwork.Parse("2002::/16"), 2)];

    private readonly NetworkList _allowed = new(options.Value.AllowedNetworks), _refused = new(options.Value.RefusedNetworks);

    /// <summary>An address with another one within counts as that one; settings that name it may do so in either form to refuse it.</summary>
    public bool Allows(IPAddress address)
    {
        var plain = Plain(address);
        var real = Within(plain) ?? plain;
        if (_refused.Contains(plain) || _refused.Contains(real)) return false;
        return _allowed.Contains(real) || IsPublic(real);
    }

    /// <summary>Of a host that is written as an address; null for a name, whose addresses are seen when it is connected to.</summary>
    public bool? AllowsLiteral(WebhookUrl url) => url.Value.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6
        && IPAddress.TryParse(url.Value.IdnHost, out var address) ? Allows(address) : null;

    private static bool IsPublic(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => !Array.Exists(NotPublicV4, network => network.Contains(address)),
        AddressFamily.InterNetworkV6 => GlobalV6.Contains(address) && !Array.Exists(NotPublicV6, network => network.Contains(address)),
        _ => false,
    };

    // Without a scope, which no network contains.
    private static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
        : address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new IPAddress(address.GetAddressBytes()) : address;

    private static IPAddress? Within(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        foreach (var (network, offset) in Embedding)
            if (network.Contains(address)) return new IPAddress(address.GetAddressBytes().AsSpan(offset, 4));
        return null;
    }
}
