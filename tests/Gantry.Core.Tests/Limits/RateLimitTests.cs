using Gantry.Core.Limits;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Limits;

public sealed class RateLimitTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Take_AMinutesWorthAtOnce_ThenOneAfterEachInterval()
    {
        var limit = new RateLimit<string>(60, _time);

        Assert.All(Enumerable.Range(0, 60), _ => Assert.Equal(TimeSpan.Zero, limit.Take("alice")));
        Assert.Equal(TimeSpan.FromSeconds(1), limit.Take("alice"));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, limit.Take("alice"));
        Assert.Equal(TimeSpan.FromSeconds(1), limit.Take("alice"));
    }

    [Fact]
    public void Take_Refused_TakesNothing()
    {
        var limit = new RateLimit<string>(2, _time);
        for (var i = 0; i < 100; i++) limit.Take("alice");

        _time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(TimeSpan.Zero, limit.Take("alice"));
    }

    [Fact]
    public void Take_OfOne_LeavesTheOthersAlone()
    {
        var limit = new RateLimit<string>(1, _time);

        Assert.Equal(TimeSpan.Zero, limit.Take("alice"));
        Assert.Equal(TimeSpan.Zero, limit.Take("bob"));
        Assert.NotEqual(TimeSpan.Zero, limit.Take("alice"));
    }

    [Fact]
    public void Take_AfterALongRest_IsAMinutesWorthAndNoMore()
    {
        var limit = new RateLimit<string>(3, _time);
        limit.Take("alice");
        _time.Advance(TimeSpan.FromDays(1));

        Assert.All(Enumerable.Range(0, 3), _ => Assert.Equal(TimeSpan.Zero, limit.Take("alice")));
        Assert.NotEqual(TimeSpan.Zero, limit.Take("alice"));
    }

    [Fact]
    public void Take_WithoutALimit_IsNeverRefused()
    {
        var limit = new RateLimit<string>(0, _time);

        Assert.All(Enumerable.Range(0, 10_000), _ => Assert.Equal(TimeSpan.Zero, limit.Take("alice")));
    }

    [Fact]
    public void Require_BeyondTheLimit_SaysInWholeSecondsWhenToComeBack()
    {
        var limit = new RateLimit<string>(100, _time);
        for (var i = 0; i < 100; i++) limit.Require("alice", "requests");

        var refusal = Assert.Throws<OciException>(() => limit.Require("alice", "requests"));

        Assert.Equal(OciErrorCode.TooManyRequests, refusal.Code);
        Assert.Equal(1, refusal.RetryAfterSeconds);
    }

    [Theory]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1", "192.0.2.1")]
    public void NetworkOf_IsWhatOneCustomerHas(string address, string network) =>
        Assert.Equal(network, RequestLimits.NetworkOf(System.Net.IPAddress.Parse(address)).ToString());
}
