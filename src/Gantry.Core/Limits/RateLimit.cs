using Gantry.Oci;

namespace Gantry.Core.Limits;

/// <summary>
/// So many a minute for each key, a minute's worth at once (the generic cell rate algorithm: one instant a key). At most
/// <see cref="Capacity"/> keys of about 150 bytes; who floods it with keys makes it forget the quietest ones.
/// </summary>
internal sealed class RateLimit<TKey>(int perMinute, TimeProvider time) where TKey : notnull
{
    private const int Capacity = 50_000;
    private static readonly TimeSpan Burst = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly RecentlyUsed<TKey, DateTimeOffset> _fullAt = new(Capacity);
    private readonly TimeSpan _each = perMinute > 0 ? Burst / perMinute : TimeSpan.Zero;

    /// <summary>Takes one. Zero: it was there; otherwise nothing was taken, and there will be one after that time.</summary>
    public TimeSpan Take(TKey key)
    {
        if (perMinute == 0) return TimeSpan.Zero;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var from = _fullAt.TryGet(key, out var known) && known > now ? known : now;
            var wait = from + _each - now - Burst;
            if (wait > TimeSpan.Zero) return wait;
            _fullAt.Set(key, from + _each);
            return TimeSpan.Zero;
        }
    }

    /// <exception cref="OciException">TooManyRequests, with the seconds to wait.</exception>
    public void Require(TKey key, string what)
    {
        var wait = Take(key);
        if (wait <= TimeSpan.Zero) return;
        throw new OciException(OciErrorCode.TooManyRequests, $"more than {perMinute} {what} in a minute; wait, then try again")
        {
            RetryAfterSeconds = (int)Math.Ceiling(wait.TotalSeconds),
        };
    }
}
