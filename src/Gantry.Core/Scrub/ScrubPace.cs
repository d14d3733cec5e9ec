using Microsoft.Extensions.Options;

namespace Gantry.Core.Scrub;

/// <summary>Spreads what a node reads over time. Nothing is saved up: a pause is not followed by a burst.</summary>
public sealed class ScrubPace(IOptions<ScrubOptions> options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _paidUntil;

    /// <summary>Waits until what was read before is paid for, and puts these bytes on the bill.</summary>
    public async ValueTask SpendAsync(long bytes, CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetElapsedTime(_start);
            wait = _paidUntil > now ? _paidUntil - now : TimeSpan.Zero;
            _paidUntil = now + wait + TimeSpan.FromSeconds((double)bytes / options.Value.BytesPerSecond);
        }

        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
    }
}
