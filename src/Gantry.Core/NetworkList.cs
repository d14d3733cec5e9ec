using System.Net;

namespace Gantry.Core;

/// <summary>A list of addresses and networks, as settings give it.</summary>
public sealed class NetworkList(IEnumerable<string> texts)
{
    private readonly IPNetwork[] _networks = [.. texts.Select(text => Parse(text)!.Value)];

    public bool IsEmpty => _networks.Length == 0;

    /// <summary>A network (<c>10.0.0.0/8</c>) or one address; null where it is neither.</summary>
    public static IPNetwork? Parse(string text)
    {
        if (IPNetwork.TryParse(text, out var network)) return network;
        return IPAddress.TryParse(text, out var address)
            ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
            : null;
    }

    public bool Contains(IPAddress address)
    {
        // A socket for both families shows IPv4 clients as ::ffff:10.0.0.1.
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Array.Exists(_networks, network => network.Contains(plain));
    }
}
