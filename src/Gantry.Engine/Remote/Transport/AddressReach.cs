using System.Net;
using System.Net.Sockets;

namespace Gantry.Engine.Remote.Transport;

/// <summary>
/// How near an address is. A registry may send us to addresses as far away as its own or farther, never nearer: one in the Internet not
/// into the company's network, one in there not to this machine.
/// </summary>
internal enum Reach
{
    Public,

    /// <summary>A company's or a home's network, carrier NAT among it.</summary>
    Private,

    /// <summary>This machine.</summary>
    Loopback,

    /// <summary>Where no server sends anybody: link-local, cloud metadata, multicast, nothing at all.</summary>
    Never,
}

internal static class AddressReach
{
    private static readonly (IPNetwork Network, Reach Reach)[] V4 =
    [
        (IPNetwork.Parse("127.0.0.0/8"), Reach.Loopback),
        (IPNetwork.Parse("169.254.0.0/16"), Reach.Never),
        (IPNetwork.Parse("100.100.100.200/32"), Reach.Never), // metadata of Alibaba
        (IPNetwork.Parse("168.63.129.16/32"), Reach.Never), // of Azure
        (IPNetwork.Parse("192.0.0.0/24"), Reach.Never), // of Oracle, and protocol assignments
        (IPNetwork.Parse("0.0.0.0/8"), Reach.Never), // Linux takes 0.0.0.0 for itself
        (IPNetwork.Parse("224.0.0.0/3"), Reach.Never),
        (IPNetwork.Parse("10.0.0.0/8"), Reach.Private),
        (IPNetwork.Parse("172.16.0.0/12"), Reach.Private),
        (IPNetwork.Parse("192.168.0.0/16"), Reach.Private),
        (IPNetwork.Parse("100.64.0.0/10"), Reach.Private),
        (IPNetwork.Parse("198.18.0.0/15"), Reach.Private),
    ];

    private static readonly (IPNetwork Network, Reach Reach)[] V6 =
    [
        (IPNetwork.Parse("::1/128"), Reach.Loopback),
        (IPNetwork.Parse("::/128"), Reach.Never),
        (IPNetwork.Parse("fe80::/10"), Reach.Never),
        (IPNetwork.Parse("ff00::/8"), Reach.Never),
        (IPNetwork.Parse("2001::/32"), Reach.Never), // Teredo: the address within is hidden
        (IPNetwork.Parse("fd00:ec2::/32"), Reach.Never), // metadata of Amazon
        (IPNetwork.Parse("fc00::/7"), Reach.Private),
        (IPNetwork.Parse("fec0::/10"), Reach.Private),
    ];

    // Where an IPv4 address lies in an IPv6 one: compatible, NAT64, translated and 6to4. Mapped ones no IPNetwork ever contains.
    private static readonly (IPNetwork Network, int Offset)[] Embedding =
    [
        (IPNetwork.Parse("::/96"), 12), (IPNetwork.Parse("64:ff9b::/96"), 12),
        (IPNetwork.Parse("::ffff:0:0:0/96"), 12), (IPNetwork.Parse("2002::/16"), 2),
    ];

    public static Reach Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetwork) return Find(V4, address);
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return Reach.Never;

        var plain = address.ScopeId == 0 ? address : new IPAddress(address.GetAddressBytes());
        var own = Find(V6, plain);
        if (own != Reach.Public) return own;
        foreach (var (network, offset) in Embedding)
        {
            if (network.Contains(plain)) return Find(V4, new IPAddress(plain.GetAddressBytes().AsSpan(offset, 4)));
        }

        return Reach.Public;
    }

    /// <summary>Of a host written as an address; null for a name. The odd spellings of IPv4, like 0x7f.1, are addresses too.</summary>
    public static Reach? OfLiteral(Uri address) => address.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6
        && IPAddress.TryParse(address.IdnHost, out var literal) ? Of(literal) : null;

    private static Reach Find((IPNetwork Network, Reach Reach)[] table, IPAddress address)
    {
        foreach (var (network, reach) in table)
        {
            if (network.Contains(address)) return reach;
        }

        return Reach.Public;
    }
}
