using System.Net;
using Gantry.Core.Access;
using Gantry.TestKit;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

public sealed class LoginThrottleTests
{
    private static readonly AccountName Jane = AccountName.Parse("jane");
    private static readonly AccountName John = AccountName.Parse("john");
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress There = IPAddress.Parse("192.0.2.2");

    private readonly ManualTime _time = new();
    private readonly AccessOptions _options = new();
    private readonly LoginThrottle _throttle;

    public LoginThrottleTests() => _throttle = new LoginThrottle(Options.Create(_options), _time);

    [Fact]
    public void Failures_BeyondTheFreeOnes_WaitTwiceAsLongEachTime()
    {
        for (var i = 0; i < 5; i++) Assert.Equal(TimeSpan.Zero, FailOnce(Jane, Here));
        var waits = new List<double>();
        for (var i = 0; i < 12; i++)
        {
            var wait = FailOnce(Jane, Here);
            waits.Add(wait.TotalSeconds);
            _time.Advance(wait);
            Assert.Equal(TimeSpan.Zero, FailOnce(Jane, Here));
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300], waits);
    }

    [Fact]
    public void Wait_EndingOneTickTooEarly_StillRefuses()
    {
        for (var i = 0; i < 5; i++) FailOnce(Jane, Here);
        _time.Advance(TimeSpan.FromSeconds(1) - TimeSpan.FromTicks(1));
        Assert.Equal(TimeSpan.FromTicks(1), _throttle.Wait(Jane, Here));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(TimeSpan.Zero, _throttle.Wait(Jane, Here));
    }

    [Fact]
    public void Guesses_InFlight_CountLikeFailures()
    {
        var begun = Enumerable.Range(0, 50).Select(_ => _throttle.TryBegin(Jane, Here, out var _)).ToList();
        Assert.Equal(5, begun.Count(attempt => attempt is not null));

        foreach (var attempt in begun) attempt?.Failed();
        Assert.Null(_throttle.TryBegin(Jane, Here, out var _));

        _time.Advance(TimeSpan.FromSeconds(1));
        var next = Enumerable.Range(0, 50).Select(_ => _throttle.TryBegin(Jane, Here, out var _)).ToList();
        Assert.Single(next, attempt => attempt is not null);
    }

    [Fact]
    public void OtherAddressesAndAccounts_AreNotHeldBack()
    {
        for (var i = 0; i < 5; i++) FailOnce(Jane, Here);

        Assert.NotNull(_throttle.TryBegin(Jane, There, out var _));
        Assert.NotNull(_throttle.TryBegin(John, Here, out var _));
        Assert.Null(_throttle.TryBegin(Jane, Here, out var _));
    }

    [Fact]
    public void Success_ClearsThePair_ButNotTheAddress()
    {
        _options.Throttle.FailuresPerAddress = 8;
        for (var i = 0; i < 4; i++) FailOnce(Jane, Here);
        Succeed(Jane, Here);
        for (var i = 0; i < 4; i++) Assert.Equal(TimeSpan.Zero, FailOnce(Jane, Here));

        Assert.Null(_throttle.TryBegin(John, Here, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(1), wait);
    }

    [Fact]
    public void Address_GuessingManyAccounts_IsHeldBackAsAWhole()
    {
        for (var i = 0; i < 100; i++) Assert.Equal(TimeSpan.Zero, FailOnce(AccountName.Parse($"a{i}"), Here));

        Assert.Null(_throttle.TryBegin(Jane, Here, out var _));
        Assert.True(_throttle.Wait(Jane, Here) > TimeSpan.Zero);
        Assert.NotNull(_throttle.TryBegin(Jane, There, out var _));
    }

    [Fact]
    public void Account_GuessedFromManyAddresses_IsHeldBackExceptWhereItLoggedInLately()
    {
        Succeed(Jane, Here);
        for (var i = 0; i < 100; i++) Assert.Equal(TimeSpan.Zero, FailOnce(Jane, IPAddress.Parse($"198.51.100.{i}")));

        Assert.Null(_throttle.TryBegin(Jane, There, out var _));
        Assert.NotNull(_throttle.TryBegin(Jane, Here, out var _));
        Assert.NotNull(_throttle.TryBegin(John, There, out var _));
    }

    [Fact]
    public void Addresses_OfOneIPv6Network_CountAsOne()
    {
        for (var i = 1; i <= 5; i++) FailOnce(Jane, IPAddress.Parse($"2001:db8:0:1::{i}"));

        Assert.Null(_throttle.TryBegin(Jane, IPAddress.Parse("2001:db8:0:1:ffff::9"), out var _));
        Assert.NotNull(_throttle.TryBegin(Jane, IPAddress.Parse("2001:db8:0:2::1"), out var _));
    }

    [Fact]
    public void MappedIPv4Addresses_CountAsThemselves()
    {
        for (var i = 0; i < 5; i++) FailOnce(Jane, IPAddress.Parse("::ffff:192.0.2.1"));

        Assert.Null(_throttle.TryBegin(Jane, Here, out var _));
        Assert.NotNull(_throttle.TryBegin(Jane, IPAddress.Parse("::ffff:192.0.2.2"), out var _));
    }

    [Fact]
    public void Failures_AreForgottenAfterTheirTime()
    {
        for (var i = 0; i < 4; i++) FailOnce(Jane, Here);
        _time.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromTicks(1));
        for (var i = 0; i < 5; i++) Assert.Equal(TimeSpan.Zero, FailOnce(Jane, Here));
    }

    [Fact]
    public void Attempt_DisposedWithoutAWord_CountsAsNothing()
    {
        for (var i = 0; i < 50; i++)
        {
            using var attempt = _throttle.TryBegin(Jane, Here, out var _);
            Assert.NotNull(attempt);
        }
    }

    private TimeSpan FailOnce(AccountName account, IPAddress address)
    {
        using var attempt = _throttle.TryBegin(account, address, out var wait);
        attempt?.Failed();
        return wait;
    }

    private void Succeed(AccountName account, IPAddress address)
    {
        using var attempt = _throttle.TryBegin(account, address, out _);
        attempt!.Succeeded();
    }
}
