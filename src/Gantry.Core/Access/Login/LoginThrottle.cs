using System.Net;
using Gantry.Core.Limits;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// Slows guessing down. Failures count per account and address, and with larger limits per address and per account;
/// past its limit a counter lets one attempt through at a time, after a delay that doubles with each failure. Attempts
/// in flight count like failures, so that parallel guesses gain nothing.
/// </summary>
/// <remarks>
/// Kept in this process: a second node gives a guesser its limits a second time, no more. Three tables of
/// <see cref="Capacity"/> entries of about 200 bytes; who floods them drops others' old failures, never its own
/// address.
/// </remarks>
public sealed class LoginThrottle(IOptions<AccessOptions> options, TimeProvider time)
{
    private const int Capacity = 20_000;

    private readonly Lock _lock = new();
    private readonly RecentlyUsed<(AccountName, IPAddress), Counter> _pairs = new(Capacity);
    private readonly RecentlyUsed<IPAddress, Counter> _addresses = new(Capacity);
    private readonly RecentlyUsed<AccountName, Counter> _accounts = new(Capacity);

    private ThrottleOptions Limits => options.Value.Throttle;

    private DateTimeOffset Now => time.GetUtcNow();

    /// <summary>
    /// How long this account's password from this address is refused unseen; zero: it may be looked at. It starts
    /// nothing: a remembered login is checked against this, or it would answer guesses without end.
    /// </summary>
    public TimeSpan Wait(AccountName account, IPAddress address)
    {
        lock (_lock)
        {
            var now = Now;
            var wait = TimeSpan.Zero;
            if (_pairs.TryGet((account, RequestLimits.NetworkOf(address)), out var pair)) wait = pair.Blocked(now);
            if (_addresses.TryGet(RequestLimits.NetworkOf(address), out var from) && from.Blocked(now) > wait) wait = from.Blocked(now);
            return wait;
        }
    }

    /// <summary>
    /// Begins an attempt. Null: it may not be made, and <paramref name="wait"/> is when it makes sense again. Otherwise
    /// the caller says how it ended, and disposes of it.
    /// </summary>
    public Attempt? TryBegin(AccountName account, IPAddress address, out TimeSpan wait)
    {
        lock (_lock)
        {
            var now = Now;
            var network = RequestLimits.NetworkOf(address);
            var pair = _pairs.GetOrAdd((account, network), () => new());
            var counters = new List<(Counter Counter, int Free)>
            {
                (pair, Limits.FailuresPerAccountAndAddress),
                (_addresses.GetOrAdd(network, () => new()), Limits.FailuresPerAddress),
            };
            var whole = _accounts.GetOrAdd(account, () => new());
            if (!pair.KnownGood(now)) counters.Add((whole, Limits.FailuresPerAccount));

            wait = TimeSpan.Zero;
            foreach (var (counter, free) in counters)
            {
                var needed = counter.WaitFor(free, now, Limits);
                if (needed > wait) wait = needed;
            }

            if (wait > TimeSpan.Zero) return null;
            foreach (var (counter, _) in counters) counter.InFlight++;
            return new Attempt(this, pair, counters);
        }
    }

    /// <summary>One look at a password. Ended by neither word (the database was away) it counts as nothing.</summary>
    public sealed class Attempt : IDisposable
    {
        private readonly LoginThrottle _throttle;
        private readonly Counter _pair;
        private readonly List<(Counter Counter, int Free)> _counters;
        private bool _ended;

        internal Attempt(LoginThrottle throttle, Counter pair, List<(Counter, int)> counters) =>
            (_throttle, _pair, _counters) = (throttle, pair, counters);

        public void Failed() => End(failed: true, succeeded: false);

        public void Succeeded() => End(failed: false, succeeded: true);

        public void Dispose() => End(failed: false, succeeded: false);

        private void End(bool failed, bool succeeded)
        {
            lock (_throttle._lock)
            {
                if (_ended) return;
                _ended = true;
                var now = _throttle.Now;
                foreach (var (counter, free) in _counters)
                {
                    counter.InFlight--;
                    if (failed) counter.Fail(free, now, _throttle.Limits);
                }

                // Only the pair: who has an account of his own must not clear his address by it.
                if (succeeded) _pair.Succeed(now);
            }
        }
    }

    /// <summary>The failures of one account, address, or pair of both; guarded by the throttle's lock.</summary>
    internal sealed class Counter
    {
        private int _failures;
        private DateTimeOffset _lastFailure;
        private DateTimeOffset _lastSuccess;
        private DateTimeOffset _blockedUntil;

        public int InFlight { get; set; }

        public TimeSpan Blocked(DateTimeOffset now) => _blockedUntil > now ? _blockedUntil - now : TimeSpan.Zero;

        public bool KnownGood(DateTimeOffset now) =>
            _lastSuccess != default && now - _lastSuccess < TimeSpan.FromDays(1);

        public TimeSpan WaitFor(int free, DateTimeOffset now, ThrottleOptions limits)
        {
            if (_failures > 0 && now - _lastFailure > limits.Memory) _failures = 0;
            if (Blocked(now) is var blocked && blocked > TimeSpan.Zero) return blocked;
            var roomLeft = _failures + InFlight < free || InFlight == 0;
            return roomLeft ? TimeSpan.Zero : limits.FirstDelay;
        }

        public void Fail(int free, DateTimeOffset now, ThrottleOptions limits)
        {
            _failures++;
            _lastFailure = now;
            if (_failures < free) return;
            var factor = Math.Pow(2, Math.Min(_failures - free, 30));
            var delay = Math.Min(limits.FirstDelay.TotalSeconds * factor, limits.LongestDelay.TotalSeconds);
            _blockedUntil = now + TimeSpan.FromSeconds(delay);
        }

        public void Succeed(DateTimeOffset now)
        {
            _failures = 0;
            _blockedUntil = default;
            _lastSuccess = now;
        }
    }
}
