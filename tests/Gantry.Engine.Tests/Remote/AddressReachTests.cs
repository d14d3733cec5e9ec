using System.Net;
using Gantry.Engine.Remote.Transport;

namespace Gantry.Engine.Tests.Remote;

public sealed class AddressReachTests
{
    [Theory]
    [Trait("Pull", "C88")]
    [InlineData("8.8.8.8", "Public")]
    [InlineData("172.32.0.1", "Public")]
    [InlineData("2606:4700::1", "Public")]
    [InlineData("10.1.2.3", "Private")]
    [InlineData("172.31.255.255", "Private")]
    [InlineData("192.168.0.1", "Private")]
    [InlineData("100.64.0.1", "Private")]
    [InlineData("fd12::1", "Private")]
    [InlineData("::ffff:10.0.0.1", "Private")]
    [InlineData("64:ff9b::a00:1", "Private")]
    [InlineData("2002:a00:1::1", "Private")]
    [InlineData("127.0.0.1", "Loopback")]
    [InlineData("127.255.0.9", "Loopback")]
    [InlineData("::1", "Loopback")]
    [InlineData("::ffff:127.0.0.1", "Loopback")]
    [InlineData("::127.0.0.1", "Loopback")]
    [InlineData("169.254.169.254", "Never")]
    [InlineData("::ffff:169.254.169.254", "Never")]
    [InlineData("64:ff9b::a9fe:a9fe", "Never")]
    [InlineData("fe80::1", "Never")]
    [InlineData("fe80::1%3", "Never")]
    [InlineData("fd00:ec2::254", "Never")]
    [InlineData("100.100.100.200", "Never")]
    [InlineData("0.0.0.0", "Never")]
    [InlineData("::", "Never")]
    [InlineData("255.255.255.255", "Never")]
    [InlineData("224.0.0.1", "Never")]
    [InlineData("ff02::1", "Never")]
    public void Of_Address_SaysHowNearItIs(string address, string reach) => Assert.Equal(reach, AddressReach.Of(IPAddress.Parse(address)).ToString());

    [Theory]
    [InlineData("http://2130706433/", "Loopback")]
    [InlineData("http://0x7f.1/", "Loopback")]
    [InlineData("http://[::ffff:a9fe:a9fe]/", "Never")]
    [InlineData("http://example.com/", null)]
    public void OfLiteral_OddSpelling_IsSeenThrough(string address, string? reach) => Assert.Equal(reach, AddressReach.OfLiteral(new Uri(address))?.ToString());
}
