using System.Net;
using System.Net.Sockets;
using Gantry.Oci;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Limits;

/// <summary>The limits of <see cref="LimitsOptions"/>; each method refuses, with 429 and when to come back, or does nothing.</summary>
/// <exception cref="OciException">TooManyRequests.</exception>
public sealed class RequestLimits(IOptions<LimitsOptions> options, TimeProvider time)
{
    private readonly RateLimit<IPAddress> _requestsFrom = new(options.Value.RequestsPerMinutePerAddress, time);
    private readonly RateLimit<string> _requestsOf = new(options.Value.RequestsPerMinutePerAccount, time);
    private readonly RateLimit<IPAddress> _loginsFrom = new(options.Value.LoginsPerMinutePerAddress, time);
    private readonly RateLimit<string> _loginsOf = new(options.Value.LoginsPerMinutePerAccount, time);

    /// <summary>A request from an address, whoever asks.</summary>
    public void CountRequest(IPAddress address) => _requestsFrom.Require(NetworkOf(address), "requests from one address");

    /// <summary>A request of an account, once it is known.</summary>
    public void CountRequest(string account) => _requestsOf.Require(account, "requests of one account");

    /// <summary>A name and a password from an address, before they are looked at.</summary>
    public void CountLogin(IPAddress address) => _loginsFrom.Require(NetworkOf(address), "logins from one address");

    /// <summary>A right login of an account.</summary>
    public void CountLogin(string account) => _loginsOf.Require(account, "logins of one account");

    /// <summary>What counts as one address: a customer of IPv6 has a whole /64.</summary>
    public static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
