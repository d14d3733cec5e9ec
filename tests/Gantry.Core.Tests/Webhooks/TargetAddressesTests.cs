using System.Net;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.TestKit;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>Where deliveries may go: the addresses, the names that stand for them, and what the settings say.</summary>
public sealed class TargetAddressesTests
{
    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("100.63.255.255")]
    [InlineData("192.167.255.255")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700::1")]
    [InlineData("2a00:1450::1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::808:808")]
    [InlineData("2002:808:808::1")]
    public void Accepts_Public(string address) => Assert.True(Addresses().Allows(IPAddress.Parse(address)));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.1.2.3")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.0.9")]
    [InlineData("168.63.129.16")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.192")]
    [InlineData("192.168.0.1")]
    [InlineData("198.18.0.1")]
    [InlineData("203.0.113.7")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0:10.0.0.1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("64:ff9b:1::a00:1")]
    [InlineData("2002:a00:1::1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    [InlineData("3fff::1")]
    [InlineData("100::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%3")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void Rejects_EverythingElse(string address) => Assert.False(Addresses().Allows(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("64:ff9b::a01:203", true)]
    [InlineData("10.2.0.1", false)]
    [InlineData("10.1.9.9", false)]
    [InlineData("::1", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("fd00:1::5", true)]
    [InlineData("9.9.9.9", false)]
    [InlineData("64:ff9b::909:909", false)]
    public void Settings_AllowNetworksAndRefuseOthers(string address, bool isAllowed)
    {
        var options = new WebhookOptions { AllowedNetworks = ["10.1.0.0/16", "::1", "fd00:1::/32"], RefusedNetworks = ["10.1.9.9", "9.9.9.0/24"] };
        Assert.Equal(isAllowed, Addresses(options).Allows(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("http://2130706433/", false)]
    [InlineData("http://0x7f.1/", false)]
    [InlineData("http://017700000001/", false)]
    [InlineData("http://127.1/", false)]
    [InlineData("http://[::ffff:a9fe:a9fe]/", false)]
    [InlineData("http://[::1]:8080/", false)]
    [InlineData("http://8.8.8.8/", true)]
    [InlineData("http://example.com/", null)]
    public void Literal_InAnOddSpelling_IsSeenThrough(string url, bool? isAllowed) =>
        Assert.Equal(isAllowed, Addresses().AllowsLiteral(WebhookUrl.Parse(url)));

    [Fact]
    public async Task NameOfAPrivateAddress_IsNotConnectedTo_AndTellsNoMoreThanANameOfNone()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync(
            name => name == "inside.test" ? [IPAddress.Loopback, IPAddress.Parse("10.0.0.1"), IPAddress.Parse("::ffff:127.0.0.1")] : [],
            "Webhooks:AllowedNetworks:0=192.0.2.0/24");
        var inside = await registry.AddAsync($"http://inside.test:{receiver.Address.Port}/");
        var nowhere = await registry.AddAsync($"http://nowhere.test:{receiver.Address.Port}/");
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();

        var (one, two) = (await registry.DeliveryAsync(inside), await registry.DeliveryAsync(nowhere));
        Assert.Equal((DeliveryState.Waiting, null), (one.State, one.Status));
        Assert.Contains("Webhooks:AllowedNetworks", one.Error);
        Assert.Equal(one.Error, two.Error);
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task NameWithAddressesOfBothKinds_IsConnectedToAtTheAllowedOne_AndLookedUpOnce()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var asked = 0;
        await using var registry = await HookRegistry.CreateAsync(
            // The second answer would be another one: nobody asks for it.
            _ => Interlocked.Increment(ref asked) == 1 ? [IPAddress.Parse("10.0.0.1"), IPAddress.Loopback] : [IPAddress.Parse("169.254.169.254")],
            "Webhooks:AllowedNetworks:0=127.0.0.1");
        var webhook = await registry.AddAsync($"http://both.test:{receiver.Address.Port}/");
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        Assert.Equal(DeliveryState.Delivered, (await registry.DeliveryAsync(webhook)).State);
        Assert.Equal("both.test:" + receiver.Address.Port, Assert.Single(receiver.Received).Headers["Host"]);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task LiteralThatTheSettingsNoLongerName_IsRefusedAtTheNextTry()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        await using var stricter = registry.AnotherNode("Webhooks:AllowedNetworks:0=192.0.2.0/24", "Access:Anonymous=Full");
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.HappenAsync(new Event(EventKinds.Push) { Repository = Gantry.Oci.RepositoryName.Parse("acme/app") });
        await registry.FollowAsync();
        await stricter.SendAsync();
        Assert.Contains("private address", (await registry.DeliveryAsync(webhook)).Error);
        Assert.Empty(receiver.Received);
    }

    private static TargetAddresses Addresses(WebhookOptions? options = null) => new(Options.Create(options ?? new WebhookOptions()));
}
