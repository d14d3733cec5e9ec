using Microsoft.Extensions.Options;

namespace Gantry.Core.Webhooks;

/// <summary>When what failed is tried again: after twice as long each time, a quarter more or less so that not all that failed together comes back together.</summary>
internal sealed class RetryTimes(IOptions<WebhookOptions> options)
{
    private const double Spread = 0.25;

    /// <param name="attempts">How many there were, at least 1.</param>
    /// <param name="asked">What the target asked for; it may put the next try off, up to the longest wait.</param>
    /// <param name="luck">From 0 to 1.</param>
    /// <returns>Null: not any more.</returns>
    public DateTimeOffset? Next(DateTimeOffset now, DateTimeOffset madeAt, int attempts, TimeSpan? asked, double luck)
    {
        var (first, longest) = (options.Value.FirstRetry, options.Value.LongestRetry);
        // Doubling is capped before it overflows: 2^40 seconds are longer than any setting.
        var doubled = Math.Min(first.TotalSeconds * Math.Pow(2, Math.Min(attempts - 1, 40)), longest.TotalSeconds);
        var wait = TimeSpan.FromSeconds(doubled * (1 - Spread + 2 * Spread * luck));
        if (asked > wait) wait = asked.Value < longest ? asked.Value : longest;
        return now + wait <= madeAt + options.Value.GiveUpAfter ? now + wait : null;
    }
}
